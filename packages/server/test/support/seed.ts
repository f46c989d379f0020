/**
 * Property tests print the seed of what failed: `{ seed: 123, path: "4:1", … }`. With
 * MICROCHATTER_TEST_SEED=123 the same values are made again.
 */
const given = process.env.MICROCHATTER_TEST_SEED ?? ''

/** For the parameters of `fc.assert`. */
export const SEED: { seed?: number } = given === '' ? {} : { seed: Number(given) }
