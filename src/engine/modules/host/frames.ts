import { writeSync } from 'node:fs'
import { encodeFrame, type Frame, frameDescriptor } from '../wire.js'

/** Writes frames to the runner. */
export type WriteFrame = (frame: Frame) => void

/**
 * Frames are written by the thread itself and at once, so that none is lost when the process dies in the next moment:
 * what is sent by messages of a process is lost then.
 */
export function frameWriter(token: number): WriteFrame {
  return frame => {
    const bytes = encodeFrame(token, frame)
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(frameDescriptor, bytes, at)
    }
  }
}
