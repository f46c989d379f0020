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

// A page may load the script twice.
for (const [name, element] of Object.entries(ELEMENTS))
  if (!customElements.get(name)) customElements.define(name, element)
