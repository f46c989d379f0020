import { defineConfig } from 'tsdown'

/**
 * Everything lies flat in dist/, chunks included: the code finds embedded-worker.js,
 * bcrypt-worker.js and image-worker.js beside itself, and migrations/ and config/ one folder up.
 */
export default defineConfig({
  entry: {
    main: 'src/main.ts',
    server: 'src/server.ts',
    'bcrypt-worker': 'src/domain/bcrypt-worker.ts',
    'image-worker': 'src/domain/image-worker.ts',
    'embedded-worker': 'src/store/embedded-worker.ts',
  },
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  sourcemap: true,
  tsconfig: '../../tsconfig.json',
  dts: { entry: 'src/server.ts', eager: true },
  // The protocol is part of the product, not a package of its own; all else is installed with it.
  deps: { alwaysBundle: [/^@microchatter\//], onlyBundle: [] },
  logLevel: 'warn',
})
