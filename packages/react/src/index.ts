/**
 * Hooks on @microchatter/client: each gives what is shown now, and draws again when it changes.
 *
 *     <MicrochatterProvider client={client}><Inbox /></MicrochatterProvider>
 */
import type {
  Chat,
  Client,
  Conversation,
  ConversationView,
  Presence,
  Status,
  Unread,
  User,
  Value,
} from '@microchatter/client'
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react'

/** Any value of a client. */
export function useValue<T>({ subscribe, getSnapshot }: Value<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
}

const Context = createContext<Client | undefined>(undefined)

/** The client of all hooks below; starting and stopping it is the application's. */
export function MicrochatterProvider(props: { client: Client; children?: ReactNode }): ReactNode {
  return createElement(Context.Provider, { value: props.client }, props.children)
}

/** @throws Error outside of a provider */
export function useClient(): Client {
  const client = useContext(Context)
  if (!client) throw new Error('Put a <MicrochatterProvider client={…}> around this component')
  return client
}

export function useStatus(): Status {
  return useValue(useClient().status)
}

export function useMe(): User | undefined {
  return useValue(useClient().me)
}

/** The badge. */
export function useUnread(): Unread {
  return useValue(useClient().unread)
}

/** My list: pinned first, then newest first. */
export function useChats(which: 'chats' | 'archived' | 'requests' = 'chats'): readonly Chat[] {
  return useValue(useClient()[which])
}

export function useChat(chatId: string): Chat | undefined {
  return useValue(useClient().chat(chatId))
}

/** Who writes there now, but me. */
export function useTyping(chatId: string): readonly string[] {
  return useValue(useClient().typing(chatId))
}

/** As long as the component is there; undefined: not known. */
export function usePresence(username: string): Presence | undefined {
  const client = useClient()
  return useValue(useMemo(() => client.presence(username), [client, username]))
}

const LOADING: ConversationView = { messages: [], pending: [], hasOlder: false, isLoading: true }
const NOTHING: Value<ConversationView> = {
  getSnapshot: () => LOADING,
  subscribe: () => () => undefined,
}

export interface ConversationOnScreen extends ConversationView {
  loadOlder(): Promise<void>
}

/** A chat that is open as long as the component is there. */
export function useConversation(chatId: string): ConversationOnScreen {
  const client = useClient()
  const [open, setOpen] = useState<{ chatId: string; conversation: Conversation }>()
  useEffect(() => {
    const conversation = client.open(chatId)
    setOpen({ chatId, conversation })
    return () => conversation.close()
  }, [client, chatId])
  // Between two chats, nothing of the one before is shown.
  const conversation = open?.chatId === chatId ? open.conversation : undefined
  const view = useValue(conversation?.view ?? NOTHING)
  return { ...view, loadOlder: () => conversation?.loadOlder() ?? Promise.resolve() }
}
