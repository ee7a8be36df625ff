// What every driver does: ask each question, print its name and what came back as one line of JSON (see python/driver.py).
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

const WAYS = [['whole', false], ['streamed', true]];

// The cases of one API, named as tests/clients/matrix.py names its cells; each function takes a handle and `stream`.
export function cells(api, { text, tools, structured }, { handles = HANDLES, wrongName = true } = {}) {
  const cases = {};
  for (const [way, stream] of WAYS) {
    for (const [what, ask] of Object.entries({ text, tools, structured })) {
      for (const handle of handles) cases[`${api}/${what}/${handle}/${way}`] = () => ask(handle, stream);
    }
    if (wrongName) cases[`${api}/wrong-name/nowhere/${way}`] = () => text('nowhere', stream);
  }
  return cases;
}

export async function run(cases) {
  const wanted = process.argv.slice(2);
  for (const [name, ask] of Object.entries(cases)) {
    if (wanted.length && !wanted.some((part) => name.includes(part))) continue;
    let answer;
    try {
      answer = await ask();
    } catch (error) {
      console.error(name, error);
      answer = { error: error.constructor.name, status: error.status ?? error.statusCode ?? null, text: String(error.message) };
    }
    console.log(JSON.stringify([name, answer]));
  }
}
