// The AI SDK with both providers that people point at a gateway: openai (responses by default, chat) and openai-compatible.
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { Output, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { ABOUT_WEATHER, KEY, QUESTION, URL_, all, cells, run, said } from './driver.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const openai = createOpenAI({ baseURL: `${URL_}/v1`, apiKey: KEY });
const compatible = createOpenAICompatible({
  name: 'lab', baseURL: `${URL_}/v1`, apiKey: KEY, includeUsage: true, supportsStructuredOutputs: true,
});
const KINDS = { responses: openai, chat: openai.chat, compatible };
const schema = z.object({ answer: z.string(), number: z.number().int() });

const ask = async (model) => said([(await generateText({ model, prompt: QUESTION, maxRetries: 0 })).text]);

async function stream(model) {
  let failed;
  const answer = streamText({ model, prompt: QUESTION, maxRetries: 0, onError: ({ error }) => { failed = error; } });
  const pieces = await all(answer.textStream);
  if (failed) throw failed;
  return { ...said(pieces), usage: [(await answer.usage).totalTokens] };
}

async function call(model, streamed) {
  const calls = [];
  const weather = tool({
    description: 'Looks up the weather of a city.', inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => { calls.push(city); return `rain in ${city}`; },
  });
  const asked = { model, prompt: ABOUT_WEATHER, tools: { weather }, stopWhen: stepCountIs(2), providerOptions: { openai: { store: false } }, maxRetries: 0 };
  let failed;
  const answer = streamed ? streamText({ ...asked, onError: ({ error }) => { failed = error; } }) : await generateText(asked);
  const text = await answer.text;
  if (failed) throw failed;
  return { tool: 'weather', arguments: { city: calls[0] }, text };
}

async function structured(model, streamed) {
  const asked = { model, prompt: QUESTION, output: Output.object({ schema }), maxRetries: 0 };
  return { object: await (streamed ? streamText(asked) : await generateText(asked)).output };
}

const cases = {};
for (const [api, provider] of Object.entries(KINDS)) {
  Object.assign(cases, cells(api, {
    text: (handle, streamed) => (streamed ? stream : ask)(provider(handle)),
    tools: (handle, streamed) => call(provider(handle), streamed),
    structured: (handle, streamed) => structured(provider(handle), streamed),
  }));
}
await run(cases);
