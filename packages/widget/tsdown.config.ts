import { defineConfig } from 'tsdown'

/** One file with all that it needs: a page loads it as it is. */
export default defineConfig({
  entry: { widget: 'src/widget.ts' },
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  fixedExtension: false,
  sourcemap: false,
  minify: true,
  tsconfig: 'tsconfig.json',
  dts: { eager: true },
  deps: { alwaysBundle: [/./], onlyBundle: false },
  logLevel: 'warn',
})
