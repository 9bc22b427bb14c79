// What is heard and felt: each outcome differs from the others.

let audio = null;
const TONES = { taken: [[1400, 0.08]], seen: [[700, 0.09], [0, 0.05], [700, 0.09]], refused: [[180, 0.5]] };
const SHAKES = { taken: [40], seen: [60, 60, 60], refused: [400] };

export function tell(outcome) {
  navigator.vibrate?.(SHAKES[outcome]);
  audio ??= window.AudioContext ? new AudioContext() : null;
  if (!audio) return;
  audio.resume?.().catch(() => {});
  let at = audio.currentTime;
  for (const [pitch, length] of TONES[outcome]) {
    if (pitch) {
      const tone = audio.createOscillator(), loudness = audio.createGain();
      tone.type = outcome === "refused" ? "sawtooth" : "sine";
      tone.frequency.value = pitch;
      loudness.gain.value = 0.25;
      tone.connect(loudness).connect(audio.destination);
      tone.start(at);
      tone.stop(at + length);
    }
    at += length;
  }
}
