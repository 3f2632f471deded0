import { afterEach, expect, it, vi } from "vitest";
import { interruptible } from "../../src/cli/interruption.js";

afterEach(() => vi.restoreAllMocks());

/** What the process does when the key is pressed. */
const pressCtrlC = () => process.emit("SIGINT");

it("the first Ctrl-C asks the task to stop, once; what follows within a second is the same keystroke; the next quits", async () => {
  const now = vi.spyOn(performance, "now");
  const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
  const asked = vi.fn();
  const at = (milliseconds: number) => now.mockReturnValue(milliseconds);
  const result = await interruptible(async (signal) => {
    expect(signal.aborted).toBe(false);
    at(5000);
    pressCtrlC();
    expect(signal.aborted).toBe(true);
    at(5900);
    pressCtrlC();
    expect(exit).not.toHaveBeenCalled();
    at(6100);
    pressCtrlC();
    expect(exit).toHaveBeenCalledWith(130);
    return "report";
  }, asked);
  expect(result).toBe("report");
  expect(asked).toHaveBeenCalledTimes(1);
});

it("afterwards Ctrl-C is nobody's, also where the task failed", async () => {
  const before = process.listenerCount("SIGINT");
  await interruptible(async () => {}, vi.fn());
  await expect(
    interruptible(async () => {
      expect(process.listenerCount("SIGINT")).toBe(before + 1);
      throw new Error("diverged");
    }, vi.fn()),
  ).rejects.toThrow("diverged");
  expect(process.listenerCount("SIGINT")).toBe(before);
});
