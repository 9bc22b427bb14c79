// A keyboard wedge (HID scanner, Zebra DataWedge) types a code and ends it with Enter or Tab. A person ends with Enter too.
// GS comes as Ctrl+], as the character itself or written out; where it came once, this reader passes separators on.

const FAST_MS = 40;

export function listenToWedge(input, found) {
  let last = 0, fast = 0;
  const insert = (text) => { input.setRangeText(text, input.selectionStart, input.selectionEnd, "end"); };
  input.addEventListener("keydown", (event) => {
    const gap = event.timeStamp - last;
    last = event.timeStamp;
    fast = gap < FAST_MS ? fast + 1 : 0;
    if (event.ctrlKey && (event.key === "]" || event.code === "BracketRight")) { event.preventDefault(); insert("\x1d"); return; }
    if (event.key !== "Enter" && !(event.key === "Tab" && fast > 3)) return;
    if (!input.value) return;
    event.preventDefault();
    const text = input.value;
    input.value = "";
    found(text, false);
  });
}
