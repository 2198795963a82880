import Foundation
package import Spool

/// The state that a running process publishes in `state/ses-PID.json` or `relay/ses-relay-PID.json`: one JSON object
/// with the fields of every program and those of its own program.
package struct PublishedState<Own: Codable & Equatable & Sendable>: Codable, Sendable, Equatable {
    package let v: Int
    /// Unix seconds.
    package let started: Int
    package let reasons: [String]
    package let lastError: String?
    package let watches: Bool
    package let own: Own

    private enum CodingKeys: String, CodingKey { case v, started, reasons, lastError, watches }

    package init(started: Int, reasons: [String], lastError: String?, watches: Bool, own: Own) {
        v = 1
        self.started = started
        self.reasons = reasons
        self.lastError = lastError
        self.watches = watches
        self.own = own
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        v = try fields.decode(Int.self, forKey: .v)
        started = try fields.decode(Int.self, forKey: .started)
        reasons = try fields.decode([String].self, forKey: .reasons)
        lastError = try fields.decodeIfPresent(String.self, forKey: .lastError)
        watches = try fields.decode(Bool.self, forKey: .watches)
        own = try Own(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(v, forKey: .v)
        try fields.encode(started, forKey: .started)
        try fields.encode(reasons, forKey: .reasons)
        try fields.encodeIfPresent(lastError, forKey: .lastError)
        try fields.encode(watches, forKey: .watches)
        try own.encode(to: encoder)
    }
}

/// The states that processes of one program have published, as a command that asks for a status reads them.
package struct PublishedStates<Own: Codable & Equatable & Sendable> {
    package typealias Known = (process: ProcessState, told: PublishedState<Own>)

    package let known: [Known]
    /// A sentence for each state that is not understood.
    package let reasons: [String]

    package init(_ states: [ProcessState], of program: Program) {
        let readable = states.filter { !$0.isOutdated && $0.defect == nil }
        var known: [Known] = []
        var reasons: [String] = []
        for state in readable {
            if let told = try? JSONDecoder().decode(PublishedState<Own>.self, from: Data(state.json)) {
                known.append((state, told))
            } else if state.program == program.name {
                reasons.append(
                    "what \(program.name) \(state.pid) says of itself is not understood: it is of another version, so"
                        + " start it anew")
            }
        }
        self.known = known
        self.reasons = reasons
    }
}

/// The reasons why a spool is unhealthy, each once, in the order in which they were found.
package struct Reasons {
    package private(set) var all: [String] = []

    package init() {}

    package mutating func add(_ reason: String?) {
        if let reason, !all.contains(reason) { all.append(reason) }
    }
}
