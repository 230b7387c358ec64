// What the TypeScript clients do besides calling tools: resources, prompts, completion, news, and answering a server.
// The same steps and output as py_features.py.

const ASKED = {
  'elicitation/create': 'ElicitRequestSchema',
  'sampling/createMessage': 'CreateMessageRequestSchema',
  'roots/list': 'ListRootsRequestSchema',
};

// What the client declares that it can be asked.
export const capabilities = (given) => ({
  ...(given.elicit === 'none' ? {} : { elicitation: { form: {}, url: {} } }),
  ...(given.sample ? { sampling: {} } : {}),
  ...(given.root ? { roots: {} } : {}),
});

// Answers what the client declared, and prints what it was asked.
export async function answers(connected, old, given, emit) {
  const handlers = {};
  if (given.elicit !== 'none') {
    handlers['elicitation/create'] = async ({ params }) => {
      emit({ elicitation: params });
      const content = given.elicit === 'accept' && params.mode !== 'url' ? { content: JSON.parse(given.content) } : {};
      return { action: given.elicit, ...content };
    };
  }
  if (given.sample) {
    handlers['sampling/createMessage'] = async ({ params }) => {
      emit({ sampling: params });
      return { role: 'assistant', content: { type: 'text', text: given.sample }, model: 'remit-tests' };
    };
  }
  if (given.root) {
    handlers['roots/list'] = async () => {
      emit({ roots: {} });
      return { roots: [{ uri: given.root }] };
    };
  }
  const schemas = old ? await import('@modelcontextprotocol/sdk/types.js') : {};
  for (const [method, handler] of Object.entries(handlers)) {
    connected.setRequestHandler(old ? schemas[ASKED[method]] : method, handler);
  }
}

// What the server said without being asked, in order.
export class Ears {
  constructor(connected) {
    this.heard = [];
    this.more = () => {};
    connected.fallbackNotificationHandler = async ({ method, params }) => {
      this.heard.push({ method, ...(params === undefined ? {} : { params }) });
      this.more();
    };
  }

  // All that was said since the last time, as soon as `method` is among it, or after `seconds`.
  async wait(method, seconds) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000 * seconds);
      this.more = () => {
        if (!this.heard.some((one) => one.method === method)) return;
        clearTimeout(timer);
        resolve();
      };
      this.more();
    });
    this.more = () => {};
    return { heard: this.heard.splice(0) };
  }
}

async function pages(list, member, old) {
  const found = [];
  let cursor;
  do {
    const page = await list(cursor ? { cursor } : undefined, old ? undefined : { cacheMode: 'refresh' });
    found.push(...page[member]);
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

// Follows lists and resources: by one stream at 2026-07-28, by asking for each resource before that.
async function listen(connected, old, wanted) {
  const uris = wanted.uris ?? [];
  if (old) {
    for (const uri of uris) await connected.subscribeResource({ uri });
    return { listening: { uris } };
  }
  const lists = ['tools', 'prompts', 'resources'].filter((kind) => wanted[kind]).map((kind) => [`${kind}ListChanged`, true]);
  const filter = { ...Object.fromEntries(lists), ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}) };
  const subscription = await connected.listen(filter);
  return { listening: subscription.honoredFilter ?? filter };
}

// One step that is no call; undefined if it is not one of these.
export async function perform(connected, ears, old, step) {
  if ('resources' in step) return { resources: await pages((...a) => connected.listResources(...a), 'resources', old) };
  if ('templates' in step) {
    return { templates: await pages((...a) => connected.listResourceTemplates(...a), 'resourceTemplates', old) };
  }
  if ('prompts' in step) return { prompts: await pages((...a) => connected.listPrompts(...a), 'prompts', old) };
  if ('read' in step) return { contents: (await connected.readResource({ uri: step.read })).contents };
  if ('prompt' in step) {
    return { messages: (await connected.getPrompt({ name: step.prompt, arguments: step.arguments ?? {} })).messages };
  }
  if ('complete' in step) {
    const ref = { type: 'ref/prompt', name: step.complete };
    return { values: (await connected.complete({ ref, argument: step.argument })).completion.values };
  }
  if ('listen' in step) return listen(connected, old, step.listen);
  if ('unsubscribe' in step) {
    await connected.unsubscribeResource({ uri: step.unsubscribe });
    return { unsubscribed: step.unsubscribe };
  }
  if ('hear' in step) return ears.wait(step.hear, step.seconds);
  return undefined;
}
