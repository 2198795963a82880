import MailEnvelope
import ProgramLife
import Spool
import Workflows

/// Something that waits and may be worked on.
enum Waiting: Sendable {
    case fresh(Candidate)
    /// Left in `work/` by a process that ended, or put back after a fault.
    case left(LeftEntry)

    /// The key under which it is postponed: its place and name, or its entry.
    var key: String {
        switch self {
        case .fresh(let candidate): candidate.key
        case .left(let left): left.entry.digits
        }
    }

    var direction: Direction {
        switch self {
        case .fresh(let candidate): candidate.facts.origin?.direction ?? .outgoing
        case .left(let left): left.origin.direction
        }
    }
}

extension Origin {
    var direction: Direction {
        switch self {
        case .outgoing: .outgoing
        case .incoming: .incoming
        }
    }
}

extension Direction {
    /// The facts of a result that travels this way.
    var ofResult: Origin {
        switch self {
        case .outgoing: .outgoing(bare: false)
        case .incoming: .incoming(bare: false)
        }
    }

    var inBlock: EnvelopeBlock.Direction {
        switch self {
        case .outgoing: .outgoing
        case .incoming: .incoming
        }
    }
}
