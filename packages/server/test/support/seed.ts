/**
 * Property tests print the seed of what failed: `{ seed: 123, path: "4:1", … }`. With
 * MICROCHATTER_TEST_SEED=123 the same values are made again. MICROCHATTER_TEST_RUNS=20000 makes the
 * test against the model longer, on each engine.
 */
const seed = process.env.MICROCHATTER_TEST_SEED ?? ''
const runs = process.env.MICROCHATTER_TEST_RUNS ?? ''

/** For the parameters of `fc.assert`. */
export const SEED: { seed?: number } = seed === '' ? {} : { seed: Number(seed) }

/** undefined: as the test says. */
export const RUNS: number | undefined = runs === '' ? undefined : Number(runs)
