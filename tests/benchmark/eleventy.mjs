// The same files by @11ty/eleventy-img: node eleventy.mjs ORIGINALS OUTPUT MODULES
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [originals, output, modules] = process.argv.slice(2);
const Image = createRequire(path.resolve(modules, "x.js"))("@11ty/eleventy-img");
const made = fs.readdirSync(originals).map((name) =>
  (Image.default ?? Image)(path.join(originals, name), {
    widths: [480, 960, 1536],
    formats: name.startsWith("alpha") ? ["avif", "webp"] : ["avif", "jpeg"],
    // Effort 1 is speed 8 of the same encoder. Colours at half size, as ours are: sharp's own
    // default is full size, which costs a sixth more.
    sharpAvifOptions: { quality: 60, effort: 1, chromaSubsampling: "4:2:0" },
    sharpWebpOptions: { quality: 80, effort: 4 },
    sharpJpegOptions: { quality: 82, progressive: true },
    outputDir: output,
    urlPath: "/",
  }),
);
await Promise.all(made);
