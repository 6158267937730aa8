// The computer's camera: one stream at a time, from which pictures are taken.

const WIDEST = 1280;

// The browser's names of errors, by what the user can do about them.
const KINDS = {
  NotAllowedError: "denied",
  SecurityError: "insecure",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
};

/**
 * Why there is no picture from the camera. `kind` is "denied" (by the user or the browser's
 * settings), "none" (there is no camera, or it was unplugged), "busy" (another program uses it) or
 * "insecure" (the page is neither on this computer nor served over HTTPS).
 */
export class CameraError extends Error {
  constructor(kind, cause) {
    super(`camera: ${kind}`, { cause });
    this.kind = kind;
  }
}

/**
 * Show the camera in a video element.
 *
 * @param video the element; it plays without sound until `close`
 * @param facing "environment" prefers the camera at the back of a phone, "user" the one in front
 * @param onend called if the camera stops by itself, as when it is unplugged
 * @returns `still`, which resolves to a PNG of the current frame, and `close`, which turns the
 *   camera off. Rejects with a CameraError.
 */
export async function openCamera(video, { facing = "environment", onend } = {}) {
  if (!isSecureContext || !navigator.mediaDevices) throw new CameraError("insecure");
  const stream = await navigator.mediaDevices
    .getUserMedia({ audio: false, video: { facingMode: facing, width: { ideal: WIDEST } } })
    .catch((error) => {
      throw new CameraError(KINDS[error.name] ?? "busy", error);
    });
  const [track] = stream.getVideoTracks();
  const close = () => {
    track.onended = null;
    track.stop();
    // The element may show another camera by now.
    if (video.srcObject === stream) video.srcObject = null;
  };
  track.onended = () => (close(), onend?.());
  Object.assign(video, { srcObject: stream, muted: true, playsInline: true });
  try {
    await video.play();
  } catch (error) {
    close();
    throw new CameraError("busy", error);
  }
  return { still: () => take(video, track), close };
}

async function take(video, track) {
  if (track.readyState === "ended" || !video.videoWidth) throw new CameraError("none");
  const sheet = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  sheet.getContext("2d").drawImage(video, 0, 0);
  return sheet.convertToBlob({ type: "image/png" });
}
