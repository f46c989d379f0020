/** A finger that stays: not every browser makes a `contextmenu` of it. */
const LONG_MS = 450
const MOVED_PX = 10

/** @returns a listener of `pointerdown` */
export function onLongPress(work: (at: { x: number; y: number }) => void) {
  return (down: PointerEvent): void => {
    if (down.pointerType !== 'touch') return
    const target = down.currentTarget as HTMLElement
    const ending = new AbortController()
    const { signal } = ending
    const timer = setTimeout(() => {
      ending.abort()
      // The finger goes up on what lies below: that is no click.
      target.addEventListener('click', stop, { capture: true, once: true })
      setTimeout(() => target.removeEventListener('click', stop, { capture: true }), 1_000)
      work({ x: down.clientX, y: down.clientY })
    }, LONG_MS)
    const end = () => {
      clearTimeout(timer)
      ending.abort()
    }
    const onMove = ({ clientX, clientY }: PointerEvent) => {
      if (Math.hypot(clientX - down.clientX, clientY - down.clientY) > MOVED_PX) end()
    }
    addEventListener('pointermove', onMove, { signal })
    for (const name of ['pointerup', 'pointercancel', 'scroll'])
      addEventListener(name, end, { signal, capture: true })
  }
}

function stop(event: Event): void {
  event.preventDefault()
  event.stopPropagation()
}
