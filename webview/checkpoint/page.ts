import { messageOf } from '../../src/common/errors';
import { Lifetime, type Disposable } from '../../src/common/lifetime';
import { throttle } from '../../src/common/throttle';
import type { CheckpointFile, TensorSummary } from '../../src/protocol/checkpointFile';
import { readCheckpointState, tensorsLimit, type CheckpointPageState, type ToCheckpointPage } from '../../src/protocol/checkpointPage';
import type { ExportFormat } from '../../src/protocol/panel';
import type { CheckpointBridge } from '../bridge';
import { element } from '../elements';
import { fileName } from '../export/file';
import type { FigureFrame } from '../figures/frame';
import { contextWithoutModel } from '../figures/withoutModel';
import { Announcer } from '../shell/announcer';
import { ProblemBanner } from '../shell/problem';
import { FileHeader } from './header';
import { TensorDetails } from './tensorDetails';
import { TensorList } from './tensorList';
import type { Known } from './tensorRow';
import { baseName } from '../../src/common/baseName';

/** Milliseconds between two questions while the reader scrolls. */
const askEvery = 100;

/** The editor of a file of weights: what it is, its tensors, and one of them in numbers and as a picture. */
export class CheckpointPage implements Disposable {
  readonly element: HTMLElement;
  private readonly lifetime = new Lifetime();
  private readonly announcer = new Announcer();
  private readonly header = new FileHeader(() => this.bridge.send({ kind: 'import' }));
  /** What another try can mend, and what none can. */
  private readonly problem = new ProblemBanner(() => this.bridge.send({ kind: 'again' }));
  private readonly finalProblem = new ProblemBanner();
  private readonly list = this.lifetime.add(new TensorList({
    known: tensor => this.known.get(tensor),
    select: tensor => this.select(tensor),
    filtered: filter => this.keep({ ...this.state, filter }),
    announce: text => this.announcer.say(text),
  }));
  private readonly details: TensorDetails;
  private readonly content: HTMLElement;
  private readonly asking = this.lifetime.add(throttle(() => this.ask(), askEvery));
  private readonly known = new Map<string, Known>();
  private seen: readonly string[] = [];
  /** What was asked for last, which is still being read. */
  private asked = '';
  private state: CheckpointPageState;
  private file: CheckpointFile | undefined;

  constructor(private readonly bridge: CheckpointBridge) {
    this.state = readCheckpointState(bridge.kept());
    this.details = this.lifetime.add(new TensorDetails({
      context: contextWithoutModel(this.lifetime, text => this.announcer.say(text)),
      actions: { save: (frame, format) => void this.save(frame, format), canClaim: () => false, claim: () => undefined, canCode: () => false, code: () => undefined },
      ask: slice => this.bridge.send({ kind: 'slice', slice }),
      moved: place => this.keep({ ...this.state, ...place }),
    }));
    this.content = element('div', { class: 'file-content', hidden: true }, this.list.element, this.details.element);
    this.element = element('main', { class: 'panel file' },
      this.problem.element, this.finalProblem.element, this.header.element, this.content, this.announcer.element);
    this.lifetime.add(this.list.onDidSee(tensors => {
      this.seen = tensors;
      this.asking.call();
    }));
    this.lifetime.add(bridge.listen(message => this.take(message)));
    bridge.send({ kind: 'ready' });
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Shows that the page itself failed, and tells the extension. */
  fail(message: string): void {
    this.problem.update({ problem: message });
    this.bridge.send({ kind: 'failed', message });
  }

  private take(message: ToCheckpointPage): void {
    switch (message.kind) {
      case 'file':
        this.show(message.file, message.changed);
        return;
      case 'statistics':
        this.know(message.tensor, message.statistics);
        return;
      case 'noStatistics':
        this.know(message.tensor, { problem: message.message });
        return;
      case 'slice':
        this.details.takeSlice(message.asked, message.slice);
        return;
      case 'noSlice':
        this.details.takeProblem(message.asked, message.message);
        return;
      case 'problem':
        // What is there of the file as it was is not true any more.
        this.file = undefined;
        this.content.hidden = true;
        this.header.element.hidden = true;
        this.problem.update({ problem: message.final ? undefined : message.message });
        this.finalProblem.update({ problem: message.final ? message.message : undefined });
        return;
      default:
        message satisfies never;
    }
  }

  private show(file: CheckpointFile, changed: boolean): void {
    this.problem.update({ problem: undefined });
    this.finalProblem.update({ problem: undefined });
    this.file = file;
    this.known.clear();
    this.seen = [];
    this.asked = '';
    this.content.hidden = false;
    this.header.update(file, changed);
    this.list.update(inOrder(file), this.state.filter ?? '');
    const selected = file.tensors.find(({ name }) => name === this.state.tensor);
    if (selected) this.showTensor(selected);
    else this.details.clear();
    this.list.select(selected?.name);
    if (changed) this.announcer.say('The file has changed on disk; it is shown as it is now.');
  }

  private select(name: string): void {
    const tensor = this.file?.tensors.find(each => each.name === name);
    if (!tensor || name === this.state.tensor) return;
    this.keep({ filter: this.state.filter, tensor: name });
    this.showTensor(tensor);
    this.list.select(name);
    this.asking.call();
    this.announcer.say(`${name} is shown.`);
  }

  private showTensor(tensor: TensorSummary): void {
    const { index, row, column } = this.state;
    this.details.show(tensor, { ...(index && { index }), ...(row === undefined ? {} : { row }), ...(column === undefined ? {} : { column }) });
    this.details.know(this.known.get(tensor.name));
  }

  private know(tensor: string, known: Known): void {
    this.known.set(tensor, known);
    this.list.refresh(tensor);
    if (tensor === this.state.tensor) this.details.know(known);
  }

  /** Asks for what is not known of the selected tensor and those in sight; what is still being read is asked for again. */
  private ask(): void {
    const { tensor } = this.state;
    const isThere = tensor !== undefined && this.file?.tensors.some(({ name }) => name === tensor) === true;
    const wanted = [...new Set([...(isThere ? [tensor] : []), ...this.seen])].filter(name => !this.known.has(name));
    const key = JSON.stringify(wanted);
    if (wanted.length === 0 || key === this.asked) return;
    this.asked = key;
    this.bridge.send({ kind: 'statistics', tensors: wanted.slice(0, tensorsLimit) });
  }

  private keep(state: CheckpointPageState): void {
    this.state = state;
    this.bridge.keep(state);
  }

  private async save(frame: FigureFrame, format: ExportFormat): Promise<void> {
    const name = fileName(baseName(this.file?.path ?? ''), this.state.tensor ?? '', frame.name);
    try {
      this.bridge.send({ kind: 'save', name, format, content: await frame.content(format) });
    } catch (error) {
      this.fail(`"${frame.name}" could not be exported as ${format.toUpperCase()}: ${messageOf(error)}`);
    }
  }
}

const collator = new Intl.Collator('en', { numeric: true });

/** A safetensors file has its tensors in no order that means anything; another has them as its model does. */
function inOrder({ format, tensors }: CheckpointFile): readonly TensorSummary[] {
  return format === 'safetensors' ? [...tensors].sort((a, b) => collator.compare(a.name, b.name)) : tensors;
}
