import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  sourcemap: true,
  tsconfig: 'tsconfig.json',
  dts: { eager: true },
  logLevel: 'warn',
})
