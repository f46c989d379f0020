import type { Bus, BusEvent } from './bus.ts'

type Listener = (event: BusEvent) => void

/** One node alone. */
export function createMemoryBus(): Bus {
  const listeners = new Map<BusEvent['kind'], readonly Listener[]>()
  return {
    publish(event) {
      for (const listen of listeners.get(event.kind) ?? []) listen(event)
    },
    subscribe(kind, listen) {
      const own = listen as Listener
      listeners.set(kind, [...(listeners.get(kind) ?? []), own])
      return () => {
        const others = listeners.get(kind)?.filter((other) => other !== own)
        listeners.set(kind, others ?? [])
      }
    },
    healthy: () => true,
    async close() {
      listeners.clear()
    },
  }
}
