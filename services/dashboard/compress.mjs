// Puts a Brotli-compressed copy beside each file of the build that is worth it: the server sends that to whoever takes it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const dist = new URL("dist/", import.meta.url).pathname;
for (const entry of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (!/\.(js|css|html|svg)$/.test(entry)) continue;
  const content = readFileSync(join(dist, entry));
  const compressed = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  if (compressed.length < content.length) writeFileSync(join(dist, `${entry}.br`), compressed);
}
