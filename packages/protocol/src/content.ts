/** What a message may have beside its text. */
import { type Static, Type } from 'typebox'
import { FileDraft, FileKind } from './files.ts'
import { LIMITS } from './limits.ts'
import { closed, ExactTime, Name, oneOf, opt, Seq, Time, Username, WebUrl } from './schema.ts'

/** The site's own data: stored and given back as it is, never looked into. */
export const Metadata = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
  description: `The site's own data: a JSON object of at most ${LIMITS.metadata.toLocaleString('en-US')} bytes.`,
})

export const MessageKind = oneOf(['system', 'poll', 'location', 'card'], 'Left out: a text.')

/** What a system message tells of. */
export const SystemEvent = closed({
  type: oneOf([
    'group.created',
    'group.updated',
    'member.added',
    'member.joined',
    'member.left',
    'member.removed',
    'member.updated',
    'message.pinned',
  ]),
  usernames: opt(Type.Array(Username, { description: 'Of whom it tells.' })),
  role: opt(Type.String({ description: 'The new one of a member.' })),
  fields: opt(Type.Array(Type.String(), { description: 'What was changed of the group.' })),
  title: opt(Type.String({ description: 'The new one of the group.' })),
  seq: opt(Type.Integer({ ...Seq, description: 'Of the message that was pinned.' })),
})
export type SystemEvent = Static<typeof SystemEvent>

/** The message that is answered, as it was when it was read. */
export const Quote = closed({
  seq: Seq,
  sender: opt(Username),
  body: Type.String({ description: 'Its first 200 characters.' }),
  kind: opt(MessageKind),
  fileKind: opt(FileKind),
  deletedAt: opt(Time),
  change: opt(Type.Integer({ minimum: 1 })),
})
export type Quote = Static<typeof Quote>

export const Reaction = closed({
  emoji: Type.String(),
  count: Type.Integer({ minimum: 1 }),
  usernames: Type.Array(Username, { description: 'The first 10 who reacted so.' }),
})
export type Reaction = Static<typeof Reaction>

/** Who reacted, and how. */
export const Reactor = closed({ emoji: Type.String(), username: Username, createdAt: Time })
export type Reactor = Static<typeof Reactor>

const choice = Type.String({ minLength: 1, maxLength: LIMITS.name })

/** The question is the message's text. */
export const PollDraft = closed({
  options: Type.Array(choice, { minItems: 2, maxItems: LIMITS.pollOptions }),
  multiple: opt(Type.Boolean({ description: 'true: one may choose several.' })),
  anonymous: opt(Type.Boolean({ description: 'true: nobody sees who chose what.' })),
  closesAt: opt(ExactTime),
})
export type PollDraft = Static<typeof PollDraft>

export const VoteBody = closed({
  options: Type.Array(Type.Integer({ minimum: 0, maximum: LIMITS.pollOptions - 1 }), {
    maxItems: LIMITS.pollOptions,
    description: 'By their place, from 0; none takes the vote back.',
  }),
})
export type VoteBody = Static<typeof VoteBody>

export const Poll = closed({
  options: Type.Array(
    closed({
      text: choice,
      votes: Type.Integer({ minimum: 0 }),
      usernames: opt(
        Type.Array(Username, { description: 'The first 10; not in an anonymous poll.' }),
      ),
    }),
  ),
  voters: Type.Integer({ minimum: 0 }),
  multiple: opt(Type.Boolean({ description: 'true: one may choose several.' })),
  anonymous: opt(Type.Boolean({ description: 'true: nobody sees who chose what.' })),
  closesAt: opt(Time),
  closed: opt(Type.Boolean({ description: 'true: it has been ended.' })),
})
export type Poll = Static<typeof Poll>

export const Location = closed({
  latitude: Type.Number({ minimum: -90, maximum: 90 }),
  longitude: Type.Number({ minimum: -180, maximum: 180 }),
  name: opt(Name),
  address: opt(Type.String({ minLength: 1, maxLength: 500 })),
})
export type Location = Static<typeof Location>

/** Something of the site's, with buttons; only admins send it. */
export const Card = closed({
  title: Name,
  text: opt(Type.String({ minLength: 1, maxLength: 2_000 })),
  imageUrl: opt(WebUrl),
  url: opt(WebUrl),
  buttons: opt(
    Type.Array(
      closed({
        id: Type.String({ minLength: 1, maxLength: 64 }),
        label: Type.String({ minLength: 1, maxLength: 60 }),
        url: opt(WebUrl),
      }),
      {
        minItems: 1,
        maxItems: 10,
        description:
          "A button with `url` is a link; the press of another one calls the site's webhook.",
      },
    ),
  ),
})
export type Card = Static<typeof Card>

/** Of one user alone. */
export const My = closed({
  rev: Type.Integer({
    minimum: 0,
    description: 'Of two, the one with the larger rev is the newer.',
  }),
  starredAt: opt(Time),
  deleted: opt(Type.Boolean({ description: 'true: I have deleted it for me.' })),
  reactions: opt(Type.Array(Type.String())),
  votes: opt(Type.Array(Type.Integer({ minimum: 0 }), { description: 'Of a poll, from 0.' })),
})
export type My = Static<typeof My>

/** What a sender may add to the text. */
export const CONTENT = {
  type: opt(
    Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,49}$',
      description: "The site's own word for this sort of message.",
    }),
  ),
  reply: opt(Type.Integer({ minimum: 1, description: 'The seq of the message that is answered.' })),
  thread: opt(
    Type.Integer({ minimum: 1, description: 'The seq of the message whose thread this is in.' }),
  ),
  mentions: opt(
    Type.Array(Username, {
      minItems: 1,
      maxItems: LIMITS.mentions,
      description: 'Usernames of members.',
    }),
  ),
  mentionAll: opt(Type.Literal(true, { description: 'All members are mentioned.' })),
  metadata: opt(Metadata),
  poll: opt(PollDraft),
  location: opt(Location),
  card: opt(Card),
  files: opt(
    Type.Array(FileDraft, { minItems: 1, maxItems: LIMITS.files, description: 'Uploads.' }),
  ),
  preview: opt(Type.Literal(false, { description: 'No preview is made of a link in the text.' })),
  forward: opt(
    closed(
      { chatId: Type.String({ minLength: 1, maxLength: 64 }), seq: Type.Integer({ minimum: 1 }) },
      'The message that is passed on; `body` is left out then.',
    ),
  ),
}
