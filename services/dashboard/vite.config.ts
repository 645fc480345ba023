import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = process.env["BUGLE_SERVER"] ?? "http://127.0.0.1:8080";
const proxy = { "/api": api, "/health": api };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
  build: {
    target: "es2022",
    // Fonts and icons stay files: the content security policy allows no data: URLs but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
