import type { Bus, BusEvent } from './bus.ts'

/** One node alone. */
export function createMemoryBus(): Bus {
  const listeners = new Set<(event: BusEvent) => void>()
  return {
    publish(event) {
      for (const listen of listeners) listen(event)
    },
    subscribe(listen) {
      listeners.add(listen)
      return () => listeners.delete(listen)
    },
    healthy: () => true,
    async close() {
      listeners.clear()
    },
  }
}
