import { loadConfig, printConfig, refusals, warnings } from '../config.ts'
import { StartRefused } from '../server.ts'

/** Starts nothing. @throws ConfigError, StartRefused */
export async function printConfigCheck(): Promise<void> {
  const loaded = loadConfig()
  process.stdout.write(`${printConfig(loaded)}\n`)
  for (const warning of warnings(loaded)) process.stderr.write(`Warning: ${warning}\n`)
  const problems = refusals(loaded)
  if (problems.length > 0) throw new StartRefused(problems)
}
