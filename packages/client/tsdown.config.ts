import { defineConfig } from 'tsdown'

/** The types of the protocol are written into the package; of its code there is nothing. Constants are put where they are used. */
export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  sourcemap: true,
  tsconfig: 'tsconfig.json',
  dts: { eager: true },
  deps: { alwaysBundle: [/^@microchatter\//], onlyBundle: [] },
  minify: { compress: true, mangle: false, codegen: false },
  logLevel: 'warn',
})
