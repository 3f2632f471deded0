import { gauge } from "./gauge.js";

/** What a process of this folder sends: its one result, and how fast the processor was when it was done. */
export interface Message {
  readonly content: unknown;
  readonly gauge: number;
}

/** Sends the result of this process to the one that started it; prints it where nobody did. */
export function send(content: unknown): void {
  if (process.send === undefined) console.log(content);
  else process.send({ content, gauge: gauge() } satisfies Message);
}
