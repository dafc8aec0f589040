// Does requests with Node's own clients: client.mjs VERSION CAFILE PROXY|- METHOD,BYTES,URL...
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";

const [version, , proxy, ...rest] = process.argv.slice(2);
if (proxy !== "-") throw new Error("this client takes no proxy");
const requests = rest.map((r) => {
  const [, method, size, url] = r.match(/^(\w+),(\d+),(.*)$/);
  return { method, body: Number(size) ? "x".repeat(Number(size)) : undefined, url: new URL(url) };
});

const agents = { "https:": new https.Agent({ keepAlive: true }), "http:": new http.Agent({ keepAlive: true }) };

function h1({ method, body, url }) {
  return new Promise((resolve, reject) => {
    const module = url.protocol === "https:" ? https : http;
    const headers = body ? { "Content-Length": body.length } : {};
    const request = module.request(url, { method, headers, agent: agents[url.protocol] }, (answer) => {
      answer.resume();
      answer.on("end", resolve);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const sessions = new Map();

function h2({ method, body, url }) {
  if (!sessions.has(url.origin)) sessions.set(url.origin, http2.connect(url.origin));
  return new Promise((resolve, reject) => {
    const headers = { ":method": method, ":path": url.pathname + url.search };
    const stream = sessions.get(url.origin).request(headers, { endStream: !body });
    stream.on("error", reject);
    stream.on("end", resolve);
    stream.resume();
    if (body) stream.end(body);
  });
}

function ws({ body, url }) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send(body ?? "1");
    socket.onmessage = () => socket.close();
    socket.onclose = resolve;
    socket.onerror = reject;
  });
}

async function viaFetch({ method, body, url }) {
  const answer = await fetch(url, { method, body });
  await answer.arrayBuffer();
}

const how = { h1, h2, ws, fetch: viaFetch }[version];
if (!how) throw new Error(`this client has no ${version}`);
for (const request of requests) await how(request);
for (const session of sessions.values()) session.close();
for (const agent of Object.values(agents)) agent.destroy();
