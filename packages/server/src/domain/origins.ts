const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whose pages may use this server: the listed ones; while developing without a list, those on this machine. */
export function createOriginRule(origins: readonly string[], production: boolean) {
  const listed = new Set(origins)
  const takesLocal = !production && listed.size === 0
  return (origin: string): boolean => listed.has(origin) || (takesLocal && isLocal(origin))
}

function isLocal(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname } = new URL(origin)
  return /^https?:$/.test(protocol) && LOCAL.has(hostname)
}
