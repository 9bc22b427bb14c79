// Keeps the page on the device, and sends the outbox when the network is back, even if no tab is open (Background Sync).
// The server fills in what follows: another content is another version.

import { flush } from "/scan/outbox.js";

const VERSION = "{{version}}";
const FILES = "{{files}}".split(" ");

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES.map((name) => new Request(name, { cache: "reload" })))));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== VERSION && name !== "zxing") await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => { if (event.data === "update") self.skipWaiting(); });

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !/^\/scan(\/|$)/.test(url.pathname)) return;
  const decoder = url.pathname.startsWith("/scan/zxing/"), key = url.pathname;
  event.respondWith((async () => {
    const cache = await caches.open(decoder ? "zxing" : VERSION), kept = await cache.match(key);
    if (kept) return kept;
    const answer = await fetch(event.request);
    if (decoder && answer.ok) await cache.put(key, answer.clone());
    return answer;
  })());
});

self.addEventListener("sync", (event) => {
  if (event.tag !== "outbox") return;
  event.waitUntil(flush().then((outcome) => { if (outcome === "offline") throw new Error(outcome); }));
});
