import type { PromptPair } from '../pairs';
import type { Receiver, Sender } from '../patching/patchedPaths';
import { pairLines } from './patching';

interface Carried {
  readonly pairs: readonly PromptPair[];
  readonly receiver: Receiver | undefined;
  readonly senders: readonly Sender[];
  readonly throughMlps: boolean;
}

/** What each sender brings back by its direct path: at all positions `[sender]`, or at each `[sender, position]`. */
export function pathPatchingLines({ pairs, receiver, senders, throughMlps }: Carried, byPosition: boolean): readonly string[] {
  const held = throughMlps ? 'value if "mlp" in hook.name else corrupted_cache[hook.name]' : 'corrupted_cache[hook.name]';
  return [
    ...pairLines(pairs),
    '_, corrupted_cache = model.run_with_cache(corrupted_tokens)',
    '',
    'def change(name, head):  # what a sender writes in the clean run, less what it writes in the corrupted one',
    '    if head is None:',
    '        return clean_cache[name] - corrupted_cache[name]',
    '    layer = int(name.split(".")[1])',
    '    return (clean_cache["z", layer] - corrupted_cache["z", layer])[:, :, head] @ model.W_O[layer, head]',
    '',
    'def carry(name, head, position=slice(None)):  # everything else writes to the residual stream as in the corrupted run',
    '    def hold(value, hook):',
    `        value = (${held}).clone()`,
    '        if hook.name == name:',
    '            value[:, position] += change(name, head)[:, position]',
    '        return value',
    '    hooks = [(lambda each: each.endswith(("hook_embed", "attn_out", "mlp_out")) and "pos" not in each, hold)]',
    ...(receiver ? toReceiver(receiver) : ['    return metric(model.run_with_hooks(corrupted_tokens, fwd_hooks=hooks)).item()']),
    '',
    'senders = [',
    ...senders.map(sender => `    ${senderOf(sender)},`),
    ']',
    byPosition
      ? 'figure = torch.tensor([[carry(*sender, position) for position in range(clean_tokens.shape[1])] for sender in senders])'
      : 'figure = torch.tensor([carry(*sender) for sender in senders])',
  ];
}

/** First what the receiver is told, then the corrupted run with that put in. */
function toReceiver({ head: { layer, head }, input }: Receiver): readonly string[] {
  return [
    '    with model.hooks(fwd_hooks=hooks):',
    '        _, told = model.run_with_cache(corrupted_tokens)',
    '    def tell(value, hook):',
    `        value[:, :, ${head}] = told[hook.name][:, :, ${head}]`,
    '        return value',
    `    return metric(model.run_with_hooks(corrupted_tokens, fwd_hooks=[("blocks.${layer}.attn.hook_${input}", tell)])).item()`,
  ];
}

/** A hook point, and which head writes there, if one does. */
function senderOf(sender: Sender): string {
  if (sender.kind === 'embedding') return '("hook_embed", None)';
  const { layer, head } = sender.component;
  return head === undefined ? `("blocks.${layer}.hook_mlp_out", None)` : `("blocks.${layer}.hook_attn_out", ${head})`;
}
