// Reading with the camera: the browser's own detector where it has one, else zxing-wasm, which the server serves.
// A one-dimensional code counts when it was read twice in a row: a stripe misread twice alike is rare.

const LINEAR = /^(EAN|UPC|Code|Codabar|ITF|DataBar|ean|upc|code|codabar|itf)/;
const EVERY_MS = 120;

/** Reads codes from a video element until stopped. `found(text, hasSeparators)` for each. Throws Error "noCamera" or "noDecoder". */
export async function watch(video, found) {
  const decode = await decoder();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } }, audio: false });
  } catch { throw new Error("noCamera"); }
  video.srcObject = stream;
  await video.play();
  let running = true, last = "", lastAt = 0, once = "";
  const look = async () => {
    if (!running) return;
    for (const { text, format, separators } of await decode(video).catch(() => [])) {
      if (LINEAR.test(format) && once !== text) { once = text; continue; }
      if (text === last && Date.now() - lastAt < 2000) { lastAt = Date.now(); continue; }
      [last, lastAt, once] = [text, Date.now(), ""];
      found(text, separators);
    }
    setTimeout(look, EVERY_MS);
  };
  look();
  return () => { running = false; stream.getTracks().forEach((track) => track.stop()); video.srcObject = null; };
}

async function decoder() {
  if ("BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("data_matrix")) {
    const detector = new BarcodeDetector();
    // the browser's detector does not say whether a code is GS1's: a separator may be lost
    return async (video) => (await detector.detect(video)).map((code) => ({ text: code.rawValue, format: code.format, separators: false }));
  }
  let zxing;
  try { zxing = await import("/scan/zxing/reader/index.js"); } catch { throw new Error("noDecoder"); }
  zxing.prepareZXingModule({ overrides: { locateFile: () => "/scan/zxing/reader/zxing_reader.wasm" }, fireImmediately: true });
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    if (!video.videoWidth) return [];
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    pen.drawImage(video, 0, 0);
    const image = pen.getImageData(0, 0, canvas.width, canvas.height);
    const codes = await zxing.readBarcodes(image, { tryHarder: true, maxNumberOfSymbols: 4, textMode: "Plain" });
    return codes.filter((code) => code.isValid).map((code) => ({ text: `${code.symbologyIdentifier ?? ""}${code.text}`, format: code.format, separators: true }));
  };
}
