import { UserError } from '../../common/errors';
import { Markup } from './markup';

/** What gives way where a page would grow too large, in this order. */
const givingWay = ['download', 'values', 'picture'] as const;
export type PieceKind = (typeof givingWay)[number];

interface Piece {
  readonly kind: PieceKind;
  readonly content: string;
  /** A sentence that says what is missing. */
  readonly instead: string;
}

/** The parts of a page that can give way to a sentence. */
export class Pieces {
  private readonly pieces: Piece[] = [];

  /** Keeps a place in the page for `content`, or for `instead` where there is no room for it. */
  place(kind: PieceKind, content: Markup, instead: Markup): Markup {
    this.pieces.push({ kind, content: content.text, instead: instead.text });
    // Escaped text has no control characters, so that nothing else in a page looks like this.
    return new Markup(`\u0000${this.pieces.length - 1}\u0000`);
  }

  /**
   * The page with its places filled, of at most `limit` bytes: of each kind the largest pieces give way first.
   * @throws UserError when it is larger even without any of them.
   */
  fill(page: string, limit: number): string {
    const given = new Set<Piece>();
    let size = bytesIn(page) + this.pieces.reduce((sum, piece, index) => sum + bytesIn(piece.content) - bytesIn(`\u0000${index}\u0000`), 0);
    for (const { piece, saved } of this.inOrder()) {
      if (size <= limit) break;
      if (saved <= 0) continue;
      given.add(piece);
      size -= saved;
    }
    if (size > limit) throw new UserError(`The report would be larger than ${limit / 1e6} MB even without its figures.`);
    return page.split('\u0000').map((part, at) => {
      const piece = at % 2 === 1 ? this.pieces[Number(part)] : undefined;
      if (!piece) return part;
      return given.has(piece) ? piece.instead : piece.content;
    }).join('');
  }

  private inOrder(): { readonly piece: Piece; readonly saved: number }[] {
    return this.pieces
      .map(piece => ({ piece, saved: bytesIn(piece.content) - bytesIn(piece.instead) }))
      .sort((a, b) => givingWay.indexOf(a.piece.kind) - givingWay.indexOf(b.piece.kind) || b.saved - a.saved);
  }
}

function bytesIn(text: string): number {
  return Buffer.byteLength(text);
}
