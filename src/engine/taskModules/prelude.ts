/**
 * What runs in a module's context before the module, as text, for it is not of this program's world: between the two nothing
 * passes but text and numbers, and what is thrown on this program's side, be it that the stack is full, is thrown anew as the
 * context's own; so a module is handed no object of this program. It is a function of the functions that
 * this program lends it (`host`), and gives the one function by which this program calls into the module. That answers with
 * JSON: `{ value }`, or `{ error: { message, stack } }` of what was thrown.
 */
export const prelude = `(host => {
  'use strict';
  const { stringify } = JSON;
  const { isArray } = Array;
  const { isView } = ArrayBuffer;
  const refused = what => () => { throw new Error(what); };

  Math.random = refused('Math.random gives other numbers each time; use the random that example() is given.');
  const noClock = refused('There is no clock in a task module: it must give the same examples each time.');
  globalThis.Date = Object.assign(function Date() { noClock(); }, { now: noClock, parse: noClock, UTC: noClock });
  delete Intl.DateTimeFormat;
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry']) delete globalThis[name];
  const lent = ask => (given, more) => {
    let answer;
    try {
      answer = ask(given, more);
    } catch {
      throw new RangeError('Maximum call stack size exceeded');
    }
    if (answer.problem !== undefined) throw new Error(answer.problem);
    return answer.value;
  };
  const asked = {};
  for (const name in host) asked[name] = lent(host[name]);
  const log = (...values) => asked.log(values.map(value => typeof value === 'string' ? value : stringify(value) ?? String(value)).join(' '));
  globalThis.console = { log, info: log, warn: log, error: log, debug: log };

  const whole = bound => {
    if (!Number.isSafeInteger(bound) || bound < 1) throw new RangeError('random.integer() takes a whole number from 1, and was given ' + String(bound) + '.');
    return asked.integer(bound);
  };
  const random = Object.freeze({
    integer: whole,
    number: () => asked.number(),
    normal: () => asked.normal(),
    choice: list => {
      if (list.length < 1) throw new RangeError('random.choice() was given an empty list.');
      return list[whole(list.length)];
    },
    shuffle: list => {
      const order = [...list];
      for (let i = order.length - 1; i > 0; i--) {
        const j = whole(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    },
  });
  const files = Object.freeze({ read: name => asked.read(String(name)) });

  const loaded = new Map();
  const load = file => {
    const known = loaded.get(file);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(file, module);
    let isWhole = false;
    try {
      const body = asked.compile(file);
      body(module.exports, name => load(asked.resolve(file, String(name))), module);
      isWhole = true;
    } finally {
      if (!isWhole) loaded.delete(file);
    }
    return module.exports;
  };

  const kept = value => typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)) ? value
    : typeof value === 'number' ? String(value) : value === undefined || value === null ? null : { type: typeof value };
  const list = value => isArray(value) || (isView(value) && typeof value.length === 'number') ? Array.from(value, kept) : kept(value);
  const example = value => {
    if (typeof value !== 'object' || value === null) return kept(value);
    if (typeof value.then === 'function') return { type: 'promise' };
    return { prompt: list(value.prompt), answers: list(value.answers) };
  };
  const has = name => typeof task[name] === 'function';
  let definition, task;

  const calls = {
    load: file => {
      const exported = load(file);
      definition = exported.default ?? exported;
      if (typeof definition !== 'object' || definition === null) return kept(definition);
      const { title, description, params, create } = definition;
      return { title: kept(title), description: kept(description), params: params === undefined ? {} : params, creates: typeof create === 'function' };
    },
    create: parameters => {
      task = definition.create(Object.freeze(JSON.parse(parameters)), files);
      if (typeof task !== 'object' || task === null) return kept(task);
      if (typeof task.then === 'function') return { type: 'promise' };
      const { vocabulary, outputs, positions, answerPositions, trainFraction, corruptions } = task;
      return {
        vocabulary: list(vocabulary), outputs: list(outputs), positions: list(positions), answerPositions: list(answerPositions),
        trainFraction: kept(trainFraction), corruptions: Object.entries(corruptions ?? {}).map(([name, corrupt]) => [name, typeof corrupt]),
        example: has('example'), examples: has('examples'), answers: has('answers'),
      };
    },
    examples: () => {
      const all = task.examples();
      return isArray(all) ? all.map(example) : kept(all);
    },
    example: count => {
      const drawn = [];
      for (let i = 0; i < count; i++) {
        drawn.push(example(task.example(random)));
        asked.advance();
      }
      return drawn;
    },
    answers: prompts => JSON.parse(prompts).map(prompt => {
      const answers = list(task.answers(prompt));
      asked.advance();
      return answers;
    }),
    corrupt: (name, prompts) => JSON.parse(prompts).map(prompt => {
      const corrupted = list(task.corruptions[name](prompt, random));
      asked.advance();
      return corrupted;
    }),
    rejected: reason => { throw reason; },
  };

  return (name, ...given) => {
    try {
      return stringify({ value: calls[name](...given) });
    } catch (error) {
      try {
        const isError = typeof error === 'object' && error !== null && 'message' in error;
        return stringify({ error: { message: String(isError ? error.message : error).slice(0, 1000), stack: String(isError ? error.stack : '').slice(0, 20000) } });
      } catch {
        return '{"error":{"message":"It threw something that has no message.","stack":""}}';
      }
    }
  };
})`;
