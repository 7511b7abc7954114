import { toDisposable, type Disposable } from '../../common/lifetime';
import type { PanelState } from '../../protocol/panel';

/** Where linked panels are: the step, or `undefined` for the newest weights. */
export interface SharedPlace {
  readonly checkpoint: number | undefined;
}

/** Goes where the other panels are; `undefined` once they are not linked. */
type Follow = (place: SharedPlace | undefined) => void;

interface Group {
  readonly panels: Set<Follow>;
  linked: boolean;
  checkpoint: number | undefined;
}

/** The checkpoint that the open panels of a model show together, where they are linked. */
export class SharedCheckpoints {
  /** By model. */
  private readonly groups = new Map<string, Group>();

  /** Where the panels of the model are while they are linked. */
  of(model: string): SharedPlace | undefined {
    const group = this.groups.get(model);
    return group?.linked === true ? { checkpoint: group.checkpoint } : undefined;
  }

  /**
   * A panel has been opened, until what is given back is disposed of. The first brings whether they are linked, and where;
   * any other finds them so, and is told at once.
   */
  join({ model, linked = false, checkpoint }: PanelState, follow: Follow): Disposable {
    const group = this.groups.get(model) ?? { panels: new Set(), linked, checkpoint };
    this.groups.set(model, group);
    group.panels.add(follow);
    follow(this.of(model));
    return toDisposable(() => {
      group.panels.delete(follow);
      if (group.panels.size === 0) this.groups.delete(model);
    });
  }

  /** Links the model's panels, so that all go to the checkpoint, or lets each of them go its own way. */
  link(model: string, linked: boolean, checkpoint: number | undefined): void {
    const group = this.groups.get(model);
    if (!group || (group.linked === linked && group.checkpoint === checkpoint)) return;
    Object.assign(group, { linked, checkpoint });
    for (const follow of [...group.panels]) follow(this.of(model));
  }

  /** One of the panels has moved: where they are linked, all do. */
  move(model: string, checkpoint: number | undefined): void {
    if (this.of(model)) this.link(model, true, checkpoint);
  }
}
