import { type Loaded, SETTINGS, type SettingSchema } from './schema.ts'
import { maskUrl } from './urls.ts'

/** What is in force, as a table for people: setting, value, source. Without secrets. */
export function printConfig({ config, sources }: Loaded): string {
  const rows = SETTINGS.map(({ path, schema }) => [
    path,
    show(valueAt(config, path), schema),
    sources[path] ?? 'default',
  ])
  const table = [['setting', 'value', 'source'], ...rows]
  const widths = [0, 1].map((column) =>
    Math.max(...table.map((row) => Array.from(row[column] ?? '').length)),
  )
  return table
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .join('\n')
}

function valueAt(config: object, path: string): unknown {
  return path
    .split('.')
    .reduce((inner: unknown, key) => (inner as Record<string, unknown>)[key], config)
}

function show(value: unknown, schema: SettingSchema): string {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return '(not set)'
  if (schema.secret === 'all') return '(set)'
  if (schema.secret === 'password') return maskUrl(String(value))
  // One line each, whatever a file holds.
  return JSON.stringify(Array.isArray(value) ? value.join(', ') : value).replace(/^"|"$/g, '')
}
