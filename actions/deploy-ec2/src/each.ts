/** Hosts that are worked on at the same time: enough to hide waiting, few enough for a jump host's MaxSessions. */
const AT_ONCE = 8;

/** Does something for every item, some at a time, and waits for all of them: none is left in the middle. Rejects with the first error. */
export async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Map<number, R>();
  const errors: unknown[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      try {
        results.set(index, await work(items[index] as T));
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
  return items.map((_, index) => results.get(index) as R);
}
