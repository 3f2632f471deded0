import { InputError } from "@unroll/autograd";

/** Something in the user's data or files that the forecast cannot work with: one line that says what, where, and what to do about it. */
export class DataError extends InputError {
  override name = "DataError";

  constructor(message: string) {
    super(message);
    // The place that matters is a line of the user's file, which the message names, and not a line of this program.
    this.message = message.replaceAll(/\s+/g, " ");
  }
}
