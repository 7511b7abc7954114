import type { FileFormat } from '../../protocol/checkpointFile';
import type { ModelConfig } from '../../protocol/config';

/** Files that lie side by side, by their names. */
export interface ExportedFiles {
  readonly format: FileFormat;
  readonly weights: string;
  readonly config: string;
  readonly check: string;
}

/** What the file begins with. */
export const pythonHead = '# Rebuilds ';

/** What logits that were computed elsewhere may be off by. */
const tolerance = '1e-4';

/**
 * Python that rebuilds an exported model as a HookedTransformer, and checks the logits that it gives for the prompts beside
 * it. What is special about a model is there only where the model has it.
 * @param name of the model, which is written into a comment
 */
export function rebuildingPython(name: string, { act_fn, attn_only, positional_embedding_type }: ModelConfig, files: ExportedFiles): string {
  const isSafetensors = files.format === 'safetensors';
  const saturates = act_fn === 'saturate' && !attn_only;
  const hasNoPositions = positional_embedding_type === 'none';
  const lines = [
    `${pythonHead}${commentText(name)} with TransformerLens, and checks its logits on the prompts beside it.`,
    `# Needs: pip install transformer_lens${isSafetensors ? ' safetensors' : ''}`,
    'import json',
    'from pathlib import Path',
    '',
    'import torch',
    ...(isSafetensors ? ['from safetensors.torch import load_file'] : []),
    'from transformer_lens import HookedTransformer, HookedTransformerConfig',
    '',
    'here = Path(__file__).parent',
    `config = json.loads((here / ${literal(files.config)}).read_text())`,
    ...(saturates ? ['config["act_fn"] = "relu"  # replaced below: TransformerLens has no "saturate"'] : []),
    ...(hasNoPositions ? ['config.update(positional_embedding_type="rotary", rotary_dim=0)  # rotates nothing: it has no positional embedding'] : []),
    'model = HookedTransformer(HookedTransformerConfig.from_dict(config))',
    isSafetensors
      ? `state_dict = load_file(here / ${literal(files.weights)})`
      : `state_dict = torch.load(here / ${literal(files.weights)}, map_location="cpu", weights_only=True)`,
    'missing, unexpected = model.load_state_dict(state_dict, strict=False)',
    '# The tables of rotary embeddings are computed, not loaded.',
    'assert not unexpected and all(".rotary_" in name for name in missing), (missing, unexpected)',
    ...(saturates ? [
      'for block in model.blocks:',
      '    block.mlp.act_fn = lambda x: 2 * torch.sigmoid(5 * x) - 1 - x',
    ] : []),
    '',
    `check = json.loads((here / ${literal(files.check)}).read_text())`,
    'with torch.no_grad():',
    '    logits = model(torch.tensor(check["tokens"])).cpu()',
    'expected = torch.tensor(check["logits"])  # [prompt, position, d_vocab_out], at check["positions"]',
    'difference = (logits[:, check["positions"]] - expected).abs().max().item()',
    'print(f"The logits differ by {difference:.1e} at most.")',
    `assert difference < ${tolerance} * max(1.0, expected.abs().max().item())`,
  ];
  return `${lines.join('\n')}\n`;
}

/** A text as Python writes one: JSON's escapes are Python's too. */
function literal(text: string): string {
  return JSON.stringify(text);
}

/** A name that stays within its line. */
function commentText(name: string): string {
  return JSON.stringify(name);
}
