/** Of an object, only these fields, or all but these; `names` with spaces between them. */
export function pick<T extends object>(from: T, names: string, isWanted = true): T {
  const fields = Object.entries(from).filter(
    ([name]) => names.split(' ').includes(name) === isWanted,
  )
  return Object.fromEntries(fields) as T
}
