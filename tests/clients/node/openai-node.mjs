// openai-node: chat, responses, tools, structured output, AzureOpenAI with and without a deployment.
import OpenAI, { AzureOpenAI } from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { ABOUT_WEATHER, HANDLES, KEY, QUESTION, URL_, all, called, run, said } from './driver.mjs';

const sdk = new OpenAI({ baseURL: `${URL_}/v1`, apiKey: KEY, maxRetries: 0 });
const azure = (options = {}) =>
  new AzureOpenAI({ endpoint: URL_, apiKey: KEY, apiVersion: '2024-10-21', maxRetries: 0, ...options });
const messages = [{ role: 'user', content: QUESTION }];
const Out = z.object({ answer: z.string(), number: z.number().int() });
const parameters = {
  type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false,
};
const weather = { name: 'weather', description: 'Looks up the weather of a city.', parameters };

async function chat(client, model, stream) {
  const answer = await client.chat.completions.create({
    model, messages, ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  });
  if (!stream) return { ...said([answer.choices[0].message.content]), model: answer.model };
  const chunks = await all(answer);
  const usage = chunks.filter((chunk) => chunk.usage).map((chunk) => chunk.usage.total_tokens);
  return { ...said(chunks.map((chunk) => chunk.choices[0]?.delta.content)), model: chunks[0].model, usage };
}

async function responses(model, stream) {
  const answer = await sdk.responses.create({ model, input: QUESTION, stream });
  if (!stream) return { ...said([answer.output_text]), model: answer.model };
  const events = await all(answer);
  const deltas = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta);
  return { ...said(deltas), model: events.at(-1).response?.model, last: events.at(-1).type };
}

async function tool(model, stream) {
  const asked = { model, messages: [{ role: 'user', content: ABOUT_WEATHER }], tools: [{ type: 'function', function: weather }] };
  const answer = stream
    ? await sdk.chat.completions.stream(asked).finalChatCompletion()
    : await sdk.chat.completions.create(asked);
  const call = answer.choices[0].message.tool_calls[0].function;
  return called(call.name, call.arguments);
}

async function responsesTool(model) {
  const answer = await sdk.responses.create({ model, input: ABOUT_WEATHER, tools: [{ type: 'function', strict: true, ...weather }] });
  const call = answer.output.find((item) => item.type === 'function_call');
  return called(call.name, call.arguments);
}

async function structured(model) {
  const answer = await sdk.chat.completions.parse({ model, messages, response_format: zodResponseFormat(Out, 'out') });
  return { object: answer.choices[0].message.parsed };
}

async function responsesStructured(model) {
  const answer = await sdk.responses.parse({ model, input: QUESTION, text: { format: zodTextFormat(Out, 'out') } });
  return { object: answer.output_parsed };
}

const cases = {};
for (const handle of HANDLES) {
  for (const [end, stream] of [['', false], ['-streamed', true]]) {
    cases[handle + end] = () => chat(sdk, handle, stream);
    cases[`responses-${handle}${end}`] = () => responses(handle, stream);
    cases[`tool-${handle}${end}`] = () => tool(handle, stream);
  }
  cases[`responses-tool-${handle}`] = () => responsesTool(handle);
  cases[`structured-${handle}`] = () => structured(handle);
  cases[`responses-structured-${handle}`] = () => responsesStructured(handle);
}
cases['azure-main'] = () => chat(azure(), 'main', false);
cases['azure-deployment-main-streamed'] = () => chat(azure({ deployment: 'main' }), 'gpt-4o', true);
cases['wrong-name'] = () => chat(sdk, 'nowhere', false);
cases['wrong-name-streamed'] = () => chat(sdk, 'nowhere', true);
cases['responses-wrong-name'] = () => responses('nowhere', false);
await run(cases);
