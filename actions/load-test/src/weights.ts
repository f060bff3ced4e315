/** The fractional part of its multiples fills [0, 1) as evenly as any sequence can. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Picks an endpoint for request number `index`, so that each gets its share
 * evenly over time and the same run picks the same ones again.
 */
export function weightedChoice(weights: readonly number[]): (index: number) => number {
  if (weights.length === 1) return () => 0;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let reached = 0;
  const edges = weights.map((weight) => {
    reached += weight / sum;
    return reached;
  });
  return (index) => {
    const point = (index * GOLDEN) % 1;
    const found = edges.findIndex((edge) => point < edge);
    return found < 0 ? weights.length - 1 : found;
  };
}
