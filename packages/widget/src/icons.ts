/** Drawn in the colour of the text, 24 × 24; they say nothing to a screen reader. */
import { svg, type TemplateResult, html } from 'lit'

const PATHS = {
  attach:
    'M20 11.5 12.4 19a5 5 0 0 1-7-7l8-8a3.3 3.3 0 0 1 4.6 4.7l-8 8a1.6 1.6 0 0 1-2.3-2.3l7.2-7.2',
  send: 'M4.5 12h8M4.6 4.8 20 12 4.6 19.2 6.8 12z',
  mic: 'M12 4a2.7 2.7 0 0 0-2.7 2.7v5a2.7 2.7 0 0 0 5.4 0v-5A2.7 2.7 0 0 0 12 4zM6 11.5a6 6 0 0 0 12 0M12 17.5V21',
  smile:
    'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.5 14a4.2 4.2 0 0 0 7 0M9.2 9.6v.2M14.8 9.6v.2',
  back: 'M14.5 5.5 8 12l6.5 6.5',
  next: 'M9.5 5.5 16 12l-6.5 6.5',
  close: 'M6 6l12 12M18 6 6 18',
  search: 'M10.8 4.5a6.3 6.3 0 1 0 0 12.6 6.3 6.3 0 0 0 0-12.6zM15.5 15.5 20 20',
  plus: 'M12 5v14M5 12h14',
  more: 'M12 5.5v.2M12 12v.2M12 18.5v.2',
  reply: 'M9.5 7 4.5 12l5 5M5 12h8.5a6 6 0 0 1 6 6',
  thread: 'M5 5.5h14v10h-8l-4 3.5v-3.5H5zM9 9.2h6M9 12.2h4',
  down: 'M5.5 9.5 12 16l6.5-6.5',
  check: 'M5 12.5 10 17.5 19 7.5',
  checks: 'M2.5 12.5 7.3 17.3 16 7.5M11.5 16 13 17.3 21.7 7.5',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.3l2.8 1.8',
  alert: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v5M12 16v.2',
  pin: 'M9 4h6l-.8 6.2 3.3 3.3H6.5l3.3-3.3zM12 13.5V20',
  mute: 'M6.5 16.5V11a5.5 5.5 0 0 1 9.3-4M17.5 11v5.5H8M10 19.5a2.2 2.2 0 0 0 4 0M4 4l16 16',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3.5v2.3M12 18.2v2.3M3.5 12h2.3M18.2 12h2.3M6 6l1.6 1.6M16.4 16.4 18 18M6 18l1.6-1.6M16.4 7.6 18 6',
  file: 'M7 3.5h7l4 4v13H7zM13.5 3.5v4.5H18',
  play: 'M8 5.5v13l10.5-6.5z',
  pause: 'M8.5 5.5v13M15.5 5.5v13',
  stop: 'M7 7h10v10H7z',
  chat: 'M12 4.2c-4.7 0-8.3 3.1-8.3 7.2 0 2.2 1.1 4.1 2.8 5.4L6 20.3l3.6-1.9c.8.2 1.6.3 2.4.3 4.7 0 8.3-3.2 8.3-7.3S16.700 4.2 12 4.2z',
  group:
    'M9 5.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM3.500 19a5.500 5.500 0 0 1 11 0M15.500 6a2.700 2.700 0 0 1 0 5.200M17 14.300a5 5 0 0 1 3.500 4.700',
  poll: 'M5 19V11M12 19V5M19 19v-5',
  star: 'm12 4 2.4 5 5.6.7-4.100 3.800 1.100 5.500L12 16.300 7 19l1.100-5.500L4 9.700 9.600 9z',
  place:
    'M12 20.500s6.500-5.600 6.500-10.500a6.500 6.500 0 0 0-13 0c0 4.900 6.500 10.500 6.500 10.500zM12 7.700a2.300 2.300 0 1 0 0 4.600 2.300 2.300 0 0 0 0-4.600z',
  download: 'M12 4v11M7.500 10.500 12 15l4.500-4.500M5 19.500h14',
} as const

export type IconName = keyof typeof PATHS

const FLIPPED: ReadonlySet<IconName> = new Set(['back', 'next', 'reply', 'send'])

export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon ${FLIPPED.has(name) ? 'flips' : ''}" viewBox="0 0 24 24" aria-hidden="true">
    ${svg`<path d=${PATHS[name]} />`}
  </svg>`
}
