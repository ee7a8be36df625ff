// openai-node: chat, responses, tools, structured output, AzureOpenAI, an approach that drops fields.
import OpenAI, { AzureOpenAI } from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { ABOUT_WEATHER, KEY, QUESTION, URL_, all, called, cells, run, said } from './driver.mjs';

const sdk = new OpenAI({ baseURL: `${URL_}/v1`, apiKey: KEY, maxRetries: 0 });
const azure = (options = {}) =>
  new AzureOpenAI({ endpoint: URL_, apiKey: KEY, apiVersion: '2024-10-21', maxRetries: 0, ...options });
// For a handle: the client, and what it says as its model. With a deployment the path has the handle.
const CLIENTS = {
  chat: (handle) => [sdk, handle],
  azure: (handle) => [azure(), handle],
  'azure-deployment': (handle) => [azure({ deployment: handle }), 'gpt-4o'],
};
const messages = [{ role: 'user', content: QUESTION }];
const Out = z.object({ answer: z.string(), number: z.number().int() });
const parameters = {
  type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false,
};
const weather = { name: 'weather', description: 'Looks up the weather of a city.', parameters };
const chatTools = [{ type: 'function', function: weather }];

async function chat([client, model], stream) {
  const answer = await client.chat.completions.create({
    model, messages, ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  });
  if (!stream) return { ...said([answer.choices[0].message.content]), model: answer.model };
  const chunks = await all(answer);
  const usage = chunks.filter((chunk) => chunk.usage).map((chunk) => chunk.usage.total_tokens);
  return { ...said(chunks.map((chunk) => chunk.choices[0]?.delta.content)), model: chunks[0].model, usage };
}

async function tools([client, model], stream) {
  const asked = { model, messages: [{ role: 'user', content: ABOUT_WEATHER }], tools: chatTools };
  const answer = stream
    ? await client.chat.completions.stream(asked).finalChatCompletion()
    : await client.chat.completions.create(asked);
  const call = answer.choices[0].message.tool_calls[0].function;
  return called(call.name, call.arguments);
}

async function structured([client, model], stream) {
  const asked = { model, messages, response_format: zodResponseFormat(Out, 'out') };
  const answer = stream
    ? await client.chat.completions.stream(asked).finalChatCompletion()
    : await client.chat.completions.parse(asked);
  return { object: answer.choices[0].message.parsed };
}

async function responses(model, stream) {
  const answer = await sdk.responses.create({ model, input: QUESTION, stream });
  if (!stream) return { ...said([answer.output_text]), model: answer.model };
  const events = await all(answer);
  const deltas = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta);
  return { ...said(deltas), model: events.at(-1).response?.model, last: events.at(-1).type };
}

async function responsesTools(model, stream) {
  const asked = { model, input: ABOUT_WEATHER, tools: [{ type: 'function', strict: true, ...weather }] };
  const answer = stream ? await sdk.responses.stream(asked).finalResponse() : await sdk.responses.create(asked);
  const call = answer.output.find((item) => item.type === 'function_call');
  return called(call.name, call.arguments);
}

async function responsesStructured(model, stream) {
  const asked = { model, input: QUESTION, text: { format: zodTextFormat(Out, 'out') } };
  const answer = stream ? await sdk.responses.stream(asked).finalResponse() : await sdk.responses.parse(asked);
  return { object: answer.output_parsed };
}

const re2 = (fields) => async (model, stream) => {
  const asked = { model, messages, stream, optillm_approach: 're2', ...fields };
  const { data, response } = await sdk.chat.completions.create(asked).withResponse();
  const pieces = stream
    ? (await all(data)).map((chunk) => chunk.choices[0]?.delta.content)
    : [data.choices[0].message.content];
  return { ...said(pieces), dropped: response.headers.get('x-homelab-dropped') ?? '' };
};

const cases = cells('responses', { text: responses, tools: responsesTools, structured: responsesStructured });
for (const [api, client] of Object.entries(CLIENTS)) {
  Object.assign(cases, cells(api, {
    text: (handle, stream) => chat(client(handle), stream),
    tools: (handle, stream) => tools(client(handle), stream),
    structured: (handle, stream) => structured(client(handle), stream),
  }));
}
Object.assign(cases, cells('chat-re2', {
  text: re2({}), tools: re2({ tools: chatTools }), structured: re2({ response_format: zodResponseFormat(Out, 'out') }),
}, { handles: ['boost'], wrongName: false }));
await run(cases);
