// Everything the page says, by language. A language is a column: whoever adds one adds its texts here and nothing else.

const TEXTS = {
  en: {
    title: "Lotline scanner", choose: "What are you doing?", receive: "Receive", ship: "Ship", pack: "Pack", unpack: "Unpack", commission: "Make",
    count: "Count", dispose: "Dispose", outbox: "Outbox", back: "Back", scanHere: "Scan or type a code", add: "Add", camera: "Camera", stop: "Stop camera",
    review: "Review", send: "Confirm", remove: "Remove", quantity: "Quantity", uom: "Unit", document: "Document number", partner: "Partner", none: "None",
    announced: "Announced", notAnnounced: "not announced", parentFirst: "Scan the pallet or case first", parent: "In", scanned: "{n} scanned", missing: "{n} announced, not scanned",
    taken: "Taken", seen: "Seen already", bare: "{x} names nothing by itself: scan the GS1 code on it", chosen: "Choose a delivery", other: "Another, unannounced",
    enrolTitle: "Enrol this device", enrolHow: "Ask an admin for a code (lotline device enrol) and scan its QR code with this device, or type it here.", code: "Code", enrol: "Enrol",
    enrolling: "Enrolling …", insecure: "This page must be opened by https (or on this machine): only then can a key be kept.", unpersisted: "The browser may clear what is stored here. Install this page on the home screen.",
    online: "Online", offline: "Offline: everything is kept", unauthorised: "This device may not send any more: have it enrolled again. Nothing is lost.", waiting: "waiting", sent: "sent", accepted: "on the ledger", refused: "refused",
    unsent: "{n} unsent", export: "Export what is unsent", retry: "Send now", clockAhead: "This device's clock is {n} s ahead", clockBehind: "This device's clock is {n} s behind",
    kept: "Kept: {x}. It is sent by itself.", expired: "expired on {x}", recalled: "recalled", unknown: "nobody has heard of it", consignee: "was sent to {x}", full: "The storage of this device is full: send or export first. Nothing was taken.",
    noCamera: "There is no camera here, or it may not be used", noDecoder: "This browser reads no codes by itself, and the server has no decoder", language: "Deutsch", needQuantity: "Give the quantity of every lot", empty: "Nothing scanned yet",
    server: "This kind of code needs the network to be read", again: "Enrol again", device: "Device", place: "Place", leave: "Discard {n} scans?", needPartner: "Choose the partner", warn: "Look at these before you confirm", update: "New version: tap to load",
    codes: {
      ambiguous: "May as well be {x}: the reader drops separators. Use the camera, or let it send GS", check_digit: "A digit was misread. Scan again", no_key: "This code names no product or pallet: scan the one beside it", broken_identifier: "Damaged or wrong code {x}",
      foreign_code: "{x} code, not GS1: scan the GS1 code", unknown_ai: "No GS1 code: {x}", qualifier_twice: "The code says {x} twice", empty: "Nothing read", too_long: "Too long", server: "Needs the network to be read", identifier_too_long: "Too long",
    },
  },
  de: {
    title: "Lotline-Scanner", choose: "Was machen Sie?", receive: "Wareneingang", ship: "Warenausgang", pack: "Packen", unpack: "Auspacken", commission: "Herstellen",
    count: "Zählen", dispose: "Entsorgen", outbox: "Ausgang", back: "Zurück", scanHere: "Code scannen oder eingeben", add: "Übernehmen", camera: "Kamera", stop: "Kamera aus",
    review: "Prüfen", send: "Bestätigen", remove: "Entfernen", quantity: "Menge", uom: "Einheit", document: "Belegnummer", partner: "Partner", none: "Keiner",
    announced: "Angekündigt", notAnnounced: "nicht angekündigt", parentFirst: "Zuerst Palette oder Karton scannen", parent: "In", scanned: "{n} gescannt", missing: "{n} angekündigt, nicht gescannt",
    taken: "Erfasst", seen: "Schon erfasst", bare: "{x} allein benennt nichts: den GS1-Code scannen", chosen: "Lieferung wählen", other: "Andere, nicht angekündigt",
    enrolTitle: "Gerät anmelden", enrolHow: "Vom Admin einen Code geben lassen (lotline device enrol) und den QR-Code mit diesem Gerät scannen oder hier eingeben.", code: "Code", enrol: "Anmelden",
    enrolling: "Wird angemeldet …", insecure: "Diese Seite muss über https geöffnet werden: nur dann kann ein Schlüssel aufbewahrt werden.", unpersisted: "Der Browser kann hier Gespeichertes löschen. Bitte zum Startbildschirm hinzufügen.",
    online: "Verbunden", offline: "Ohne Netz: alles bleibt gespeichert", unauthorised: "Dieses Gerät darf nicht mehr senden: neu anmelden lassen. Nichts geht verloren.", waiting: "wartet", sent: "gesendet", accepted: "im Ledger", refused: "abgelehnt",
    unsent: "{n} nicht gesendet", export: "Nicht Gesendetes sichern", retry: "Jetzt senden", clockAhead: "Die Uhr dieses Geräts geht {n} s vor", clockBehind: "Die Uhr dieses Geräts geht {n} s nach",
    kept: "Gespeichert: {x}. Wird von selbst gesendet.", expired: "abgelaufen am {x}", recalled: "zurückgerufen", unknown: "niemandem bekannt", consignee: "ging an {x}", full: "Der Speicher dieses Geräts ist voll: erst senden oder sichern. Nichts wurde erfasst.",
    noCamera: "Keine Kamera vorhanden oder erlaubt", noDecoder: "Dieser Browser liest selbst keine Codes, und der Server hat keinen Decoder", language: "English", needQuantity: "Menge jedes Loses angeben", empty: "Noch nichts gescannt",
    server: "Solche Codes lassen sich nur mit Netz lesen", again: "Neu anmelden", device: "Gerät", place: "Ort", leave: "{n} Scans verwerfen?", needPartner: "Partner wählen", warn: "Vor dem Bestätigen ansehen", update: "Neue Version: tippen zum Laden",
    codes: {
      ambiguous: "Kann auch {x} heißen: der Leser verschluckt Trennzeichen. Kamera benutzen oder GS senden lassen", check_digit: "Eine Ziffer wurde falsch gelesen. Nochmal scannen", no_key: "Dieser Code benennt kein Produkt und keine Palette: den daneben scannen", broken_identifier: "Code beschädigt oder falsch {x}",
      foreign_code: "{x}-Code, nicht GS1: den GS1-Code scannen", unknown_ai: "Kein GS1-Code: {x}", qualifier_twice: "Der Code sagt {x} zweimal", empty: "Nichts gelesen", too_long: "Zu lang", server: "Nur mit Netz lesbar", identifier_too_long: "Zu lang",
    },
  },
};
export const LANGUAGES = Object.keys(TEXTS);
let language = "en";

export const use = (wanted) => { language = TEXTS[wanted] ? wanted : "en"; };
export const inUse = () => language;
const filled = (text, values) => text.replace(/\{(\w)\}/g, (_, name) => values[name] ?? "").trim();
export const say = (name, values = {}) => filled(TEXTS[language][name] ?? TEXTS.en[name] ?? name, values);
export const sayCode = (error) => filled(TEXTS[language].codes[error.code] ?? error.code, { x: error.more });
