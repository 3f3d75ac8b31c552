// Draws with the AI SDK against an emulator, and prints what came as JSON.
// Run from a folder with `ai` and `@ai-sdk/gateway` installed:
//     node --input-type=module - http://127.0.0.1:PORT/v4/ai < ai_sdk.mjs
// (AI SDK 6 with @ai-sdk/gateway 3 speaks /v3/ai.)
import { createGateway, generateImage } from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false; // version 6 prints them where the report goes
const gateway = createGateway({ baseURL: process.argv[2], apiKey: "any-word" });

async function draw(options) {
  const result = await generateImage({
    model: gateway.imageModel("openai/gpt-image-1-mini"),
    prompt: "A red balloon on a wooden table",
    size: "1024x1024",
    providerOptions: { openai: { quality: "low", outputFormat: "webp" } },
    ...options,
  });
  return {
    count: result.images.length,
    mediaType: result.image.mediaType,
    bytes: result.image.uint8Array.length,
    metadata: result.providerMetadata,
    usage: result.usage,
    warnings: result.warnings,
  };
}

async function refusal(headers) {
  try {
    await draw({ headers, maxRetries: 0 });
    return null;
  } catch (error) {
    return { name: error.name, status: error.statusCode, message: error.message };
  }
}

// The record of a generation is found after some seconds.
async function generation(id) {
  for (;;) {
    try {
      return await gateway.getGenerationInfo({ id });
    } catch (error) {
      if (error.statusCode !== 404) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const image = await draw({});
const report = {
  image,
  generation: await generation(image.metadata.gateway.generationId),
  two: await draw({ n: 2, aspectRatio: "1:1" }),
  retried: await draw({}),
  models: (await gateway.getAvailableModels()).models.map((model) => model.id),
  credits: await gateway.getCredits(),
  missing: await refusal({ "x-imagegen-fault": "model-not-found" }),
  limited: await refusal({ "x-imagegen-fault": "retry-after" }),
  unfunded: await refusal({ "x-imagegen-fault": "insufficient-funds" }),
  flat: await refusal({ "x-imagegen-fault": "zero-data-retention" }),
};
console.log(JSON.stringify(report));
