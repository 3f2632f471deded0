/** A map of so many entries at most: those that were used last. */
export class RecentlyUsed<T> {
  private readonly limit: number;
  /** The latest last. */
  private readonly kept = new Map<string, T>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get(key: string): T | undefined {
    const found = this.kept.get(key);
    if (found !== undefined) this.set(key, found);
    return found;
  }

  set(key: string, entry: T): void {
    this.kept.delete(key);
    this.kept.set(key, entry);
    if (this.kept.size > this.limit) this.kept.delete(this.kept.keys().next().value as string);
  }
}
