/** A PostgreSQL of a test's own, to be frozen and killed, and what may stand before it. */
import { Cluster } from '../../../../faults/cluster.ts'
import { loseAnswers, Proxy } from '../../../../faults/proxy.ts'

export { Cluster }

const PARTS = new URL('../../../../scripts/parts.mjs', import.meta.url).href
const parts = (await import(PARTS)) as { findPostgres(): string | undefined }

/** Why tests that need one cannot run here; false: they can. */
export function skipCluster(): string | false {
  if (process.platform !== 'linux') return 'needs /proc'
  return parts.findPostgres() === undefined ? 'needs PostgreSQL' : false
}

export interface LossyProxy {
  /** The address of the database, by way of the proxy. */
  url: string
  /** The next message with this text is done as it says; its answer is lost. */
  loseAnswerTo(text: string): void
  close(): Promise<void>
}

export async function startLossyProxy(databaseUrl: string): Promise<LossyProxy> {
  const url = new URL(databaseUrl)
  const proxy = await Proxy.open(Number(url.port))
  url.port = String(proxy.port)
  return {
    url: url.href,
    loseAnswerTo(text) {
      let isDue = true
      proxy.toxic = loseAnswers((bytes) => {
        const isIt = isDue && bytes.includes(text)
        if (isIt) isDue = false
        return isIt
      })
    },
    close: () => proxy.close(),
  }
}
