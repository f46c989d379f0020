/**
 * A chat for any page:
 *
 *     <script type="module" src="https://chat.example.org/widget.js"></script>
 *     <micro-chatter token-url="/chat-token"></micro-chatter>
 */
import { Badge, Inbox, Launcher, SingleChat } from './elements.ts'
import { ComposerPart } from './parts/composer.ts'
import { ConversationPart } from './parts/conversation.ts'
import { DetailsPart, SearchPart } from './parts/details.ts'
import { DialogPart } from './parts/dialog.ts'
import { FilePart } from './parts/file.ts'
import { ListPart } from './parts/list.ts'
import { LogPart } from './parts/log.ts'
import { MenuPart } from './parts/menu.ts'
import { NewConversationPart } from './parts/new-conversation.ts'

export type { Texts } from './texts/en.ts'
export { Badge, Inbox, Launcher, SingleChat }

const ELEMENTS: Record<string, CustomElementConstructor> = {
  'mc-composer': ComposerPart,
  'mc-conversation': ConversationPart,
  'mc-details': DetailsPart,
  'mc-dialog': DialogPart,
  'mc-file': FilePart,
  'mc-list': ListPart,
  'mc-log': LogPart,
  'mc-menu': MenuPart,
  'mc-new-conversation': NewConversationPart,
  'mc-search': SearchPart,
  'micro-chatter': Inbox,
  'micro-chatter-badge': Badge,
  'micro-chatter-chat': SingleChat,
  'micro-chatter-launcher': Launcher,
}

// Browsers have it on https and localhost alone; a server that is tried out over http in a house needs it, too.
crypto.randomUUID ??= () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const [a, b, c, d] = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(13, 16),
    digits.slice(17, 20),
  ]
  return `${a}-${b}-4${c}-8${d}-${digits.slice(20)}` as ReturnType<Crypto['randomUUID']>
}

// A page may load the script twice.
for (const [name, element] of Object.entries(ELEMENTS))
  if (!customElements.get(name)) customElements.define(name, element)
