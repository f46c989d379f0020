/** Files that people send: uploaded by tus 1.0, then named in a message [FILE-1]. */
import { type Static, Type } from 'typebox'
import { LIMITS } from './limits.ts'
import { ChatId, closed, oneOf, opt, Seq, Time, Uuid } from './schema.ts'

export const FileKind = oneOf(
  ['image', 'video', 'audio', 'file'],
  'By its bytes. The first three are shown in a page; a file is only downloaded.',
)

const durationMs = Type.Integer({
  minimum: 0,
  maximum: 86_400_000,
  description: "Of sound or video, in milliseconds; as the sender's client says.",
})
const waveform = Type.Array(Type.Integer({ minimum: 0, maximum: 100 }), {
  minItems: 1,
  maxItems: LIMITS.waveform,
  description: 'The loudness over time, 0 to 100.',
})

/** An upload that is whole, or what a message has of it. */
export const File = closed({
  id: Type.String({ ...Uuid, description: 'Of the upload.' }),
  kind: FileKind,
  name: Type.String({ description: 'As its sender named it.' }),
  type: Type.String({ description: 'Its media type, by its bytes.' }),
  size: Type.Integer({ minimum: 1, description: 'Bytes.' }),
  width: opt(Type.Integer({ minimum: 1, description: 'Pixels of an image.' })),
  height: opt(Type.Integer({ minimum: 1, description: 'Pixels of an image.' })),
  placeholder: opt(
    Type.String({ description: 'A blurred image of a few pixels: WebP in base64, to show first.' }),
  ),
  thumbnail: opt(Type.Boolean({ description: 'true: there is a small image of it.' })),
  durationMs: opt(durationMs),
  waveform: opt(waveform),
  voice: opt(Type.Boolean({ description: 'true: a voice note.' })),
})
export type File = Static<typeof File>

/** What a sender says of an upload. */
export const FileDraft = closed({
  id: Type.String({ ...Uuid, description: 'Of an upload of the sender that is whole.' }),
  durationMs: opt(durationMs),
  waveform: opt(waveform),
  voice: opt(Type.Literal(true, { description: 'A voice note.' })),
})
export type FileDraft = Static<typeof FileDraft>

/** What the server found behind the first link of a text [PREVIEW-1]. */
export const Preview = closed({
  url: Type.String({ description: 'The link, as it stands in the text.' }),
  title: opt(Type.String()),
  description: opt(Type.String()),
  siteName: opt(Type.String()),
  image: opt(File),
})
export type Preview = Static<typeof Preview>

export const FileLinksBody = closed({
  files: Type.Array(closed({ chatId: ChatId, seq: Seq, fileId: Uuid }), {
    minItems: 1,
    maxItems: LIMITS.page,
    description: 'Each with the message that has it.',
  }),
})
export type FileLinksBody = Static<typeof FileLinksBody>

const address = (of: string) =>
  Type.String({ description: `The address of ${of}, for this user, until \`expiresAt\`.` })

export const FileLink = closed({
  chatId: ChatId,
  seq: Seq,
  fileId: Uuid,
  url: address('the file'),
  thumbnailUrl: opt(address('its small image')),
  expiresAt: Time,
})
export type FileLink = Static<typeof FileLink>

export const FileLinks = closed({
  items: Type.Array(FileLink, { description: 'Of those files that I may see.' }),
})
export type FileLinks = Static<typeof FileLinks>
