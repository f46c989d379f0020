/** Runs in the page of files-browser.test.ts: what a site's own script would do. */

/**
 * Records for so long, and uploads what came of it, by one request of tus.
 * @param {{ kind: 'audio' | 'video', ms: number, url: string, authorization: string }} input
 */
async function record({ kind, ms, url, authorization }) {
  const type = kind === 'video' ? 'video/webm;codecs=vp8,opus' : 'audio/webm;codecs=opus'
  const recorder = new MediaRecorder(streamOf(kind), { mimeType: type })
  /** @type {Blob[]} */
  const parts = []
  recorder.ondataavailable = ({ data }) => parts.push(data)
  const stopped = new Promise((resolve) => (recorder.onstop = resolve))
  recorder.start(100)
  await new Promise((resolve) => setTimeout(resolve, ms))
  recorder.stop()
  await stopped
  const bytes = new Blob(parts)
  const answer = await fetch(`${url}/uploads`, {
    method: 'POST',
    headers: {
      authorization,
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'upload-length': String(bytes.size),
      'upload-metadata': `filename ${btoa(`a.${kind}`)},filetype ${btoa(type)}`,
    },
    body: bytes,
  })
  return answer.json()
}

/** @param {'audio' | 'video'} kind */
function streamOf(kind) {
  const stream = new MediaStream()
  const sound = new AudioContext()
  const tone = sound.createOscillator()
  const out = sound.createMediaStreamDestination()
  tone.connect(out)
  tone.start()
  for (const track of out.stream.getTracks()) stream.addTrack(track)
  if (kind === 'audio') return stream
  const canvas = document.createElement('canvas')
  canvas.width = 320
  canvas.height = 240
  const paint = canvas.getContext('2d')
  setInterval(() => {
    if (paint) paint.fillStyle = `hsl(${Date.now() % 360} 80% 50%)`
    paint?.fillRect(0, 0, 320, 240)
  }, 30)
  for (const track of canvas.captureStream(25).getTracks()) stream.addTrack(track)
  return stream
}

/**
 * Plays it from the start, then from near the end.
 * @param {{ kind: 'audio' | 'video', src: string }} input
 */
async function play({ kind, src }) {
  const element = document.createElement(kind)
  element.src = src
  element.muted = true
  document.body.append(element)
  await element.play()
  // What a recorder writes has no length in its head: the end says it.
  element.currentTime = 1e6
  await new Promise((resolve) => (element.onended = resolve))
  const { duration, error } = element
  const videoWidth = element instanceof HTMLVideoElement ? element.videoWidth : 0
  return { duration, videoWidth, error: error?.message }
}

/** @param {{ sources: string[] }} input */
function widthsOf({ sources }) {
  return Promise.all(
    sources.map(async (src) => {
      const image = new Image()
      image.src = src
      await image.decode()
      return image.naturalWidth
    }),
  )
}

Object.assign(globalThis, { record, play, widthsOf })
