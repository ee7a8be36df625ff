// What every driver does: ask each question, print what came back as one JSON object (see python/driver.py).
export const URL_ = process.env.GATEWAY_URL ?? '';
export const KEY = process.env.GATEWAY_KEY ?? '';
export const HANDLES = ['main', 'deep', 'boost'];
export const QUESTION = 'hello';
export const ABOUT_WEATHER = 'Use the weather tool for Oslo';

export function said(pieces) {
  const heard = pieces.filter(Boolean);
  return { text: heard.join(''), pieces: heard.length };
}

export function called(name, given) {
  return { tool: name, arguments: typeof given === 'string' ? JSON.parse(given) : given };
}

export async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

export async function run(cases) {
  const wanted = process.argv.slice(2);
  const chosen = Object.entries(cases).filter(([name]) => !wanted.length || wanted.some((part) => name.includes(part)));
  const answers = {};
  for (const [name, ask] of chosen) {
    try {
      answers[name] = await ask();
    } catch (error) {
      console.error(name, error);
      answers[name] = { error: error.constructor.name, status: error.status ?? error.statusCode ?? null, text: String(error.message) };
    }
  }
  console.log(JSON.stringify(answers));
}
