import type { HostTensor } from '../../common/tensor';
import { blocksOf } from '../../model/breadthFirst';
import type { PythonContext, PythonLines } from '../define';
import { promptLines } from './written';

interface Read {
  /** `[1, T]`, whose residual stream is drawn. */
  readonly tokens: HostTensor<'int32'>;
  /** `[B, T]`, on which it is measured what heads do. */
  readonly graphs: HostTensor<'int32'>;
  /** After how many layers the residual stream is drawn. */
  readonly layers: number;
}

/** What a search by hand holds and does, with TransformerLens. */
export function hiddenBlockLines({ figure, model: { config: { n_ctx } } }: PythonContext, { tokens, graphs, layers }: Read): PythonLines {
  if (figure.kind === 'table') return { reason: 'it says in words what each block is for' };
  if (figure.kind === 'network') return { reason: 'it is the graph of the prompt, which no model computes' };
  const n = n_ctx - 1;
  if (figure.title === 'What the heads do') return headLines(n, graphs);
  const { reach, out } = blocksOf(n);
  return [
    ...promptLines({ tokens }),
    '_, cache = model.run_with_cache(tokens)',
    'streams = [cache["resid_pre", 0], *(cache["resid_post", layer] for layer in range(model.cfg.n_layers))]',
    'streams = torch.cat(streams)  # [layer, position, d_model], the embedding first',
    figure.title.startsWith('Residual stream')
      ? `figure = streams[${layers}]`
      : `figure = torch.cat([streams[:, 1, ${reach.start}:${reach.start + n}], streams[:, 0, ${out.start}:${out.start + n}]], dim=1)  # reach of vertex 1, out`,
  ];
}

/** The search in plain sets, beside the attention of each head. */
function headLines(n: number, graphs: HostTensor<'int32'>): readonly string[] {
  return [
    ...promptLines({ tokens: graphs }, 'graphs'),
    '_, cache = model.run_with_cache(tokens)',
    `edges = (tokens[:, 1:, None] >> torch.arange(${n})) & 1 == 1  # [graph, vertex, vertex]`,
    'reach, shares = edges, []',
    'for layer in range(model.cfg.n_layers):',
    '    pattern = cache["pattern", layer]  # [graph, head, query, key]; the answer is at 0, vertices from 1',
    '    notices = torch.where(reach[:, 0, 1], pattern[:, 0, 0, 1], pattern[:, 0, 0, 0])  # head 0: 1 has reached 2',
    '    on_neighbours = torch.einsum("bhqk,bhk->bhq", pattern[:, 1:, 1:, 1:], edges.float())  # head h: of vertex h',
    '    extends = torch.where(reach.mT, on_neighbours, pattern[:, 1:, 1:, 0])  # [graph, head, vertex]',
    '    shares.append(torch.cat([(notices > 0.5).float().mean(0, True), (extends > 0.5).float().mean(dim=(0, 2))]))',
    '    reach = reach | (reach.float() @ edges.float() > 0)',
    'figure = torch.stack(shares)',
  ];
}
