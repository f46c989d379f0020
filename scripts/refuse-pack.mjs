/** `npm pack` in the root would pack the workspace, which is not the product. */
process.stderr.write('This is the workspace. Pack the product with: npm pack -w microchatter\n')
process.exitCode = 1
