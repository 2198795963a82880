package import Monitoring
import Synchronization

/// Something that is wrong until it is lifted, as the process knows it.
package struct StandingReason: Codable, Sendable, Hashable {
    package let code: StatusCode
    package let text: String
    /// The file that it is about, from the spool's root or absolute: once it is gone, so is the reason. Nil for none.
    package let path: String?

    package init(_ code: StatusCode, _ text: String, path: String? = nil) {
        self.code = code
        self.text = text
        self.path = path
    }

    var bounded: StandingReason {
        StandingReason(code, String(text.prefix(HealthBoard.State.maximumReasonLength)), path: path)
    }
}

/// The health of a running process as the process knows it, for its state file and for `ses status`.
package final class HealthBoard: Sendable {
    package struct State: Sendable {
        /// Reasons that stand until they are lifted, by what they are about.
        package var reasons: [String: StandingReason] = [:]
        package var lastError: String?

        /// A state is written over a file of fixed size when the disk is full, so it must not grow with the faults.
        private static let maximumReasons = 50
        package static let maximumReasonLength = 500

        /// The reasons, sorted by what they are about, as many and as long as a state file takes.
        package var told: [StandingReason] {
            let all = reasons.sorted { $0.key < $1.key }.map(\.value.bounded)
            guard all.count > Self.maximumReasons else { return all }
            let more = StandingReason(.machineFault, "and \(all.count - Self.maximumReasons) more reasons")
            return all.prefix(Self.maximumReasons) + [more]
        }

        package var lastErrorTold: String? { lastError.map { String($0.prefix(Self.maximumReasonLength)) } }
    }

    private let state = Mutex(State())
    private let changed: @Sendable () -> Void

    /// - Parameter changed: Called after every change, on the thread that made it.
    package init(changed: @escaping @Sendable () -> Void) { self.changed = changed }

    package var snapshot: State { state.withLock { $0 } }

    /// Something is wrong until `lift` is called for the same subject.
    /// - Parameter path: The file that it is about, from the spool's root or absolute.
    package func raise(_ subject: String, _ code: StatusCode, _ text: String, path: String? = nil) {
        let reason = StandingReason(code, text, path: path)
        let isNew = state.withLock { state in
            state.lastError = text
            return state.reasons.updateValue(reason, forKey: subject) != reason
        }
        if isNew { changed() }
    }

    package func isRaised(_ subject: String) -> Bool { state.withLock { $0.reasons[subject] != nil } }

    package func lift(_ subject: String) {
        if state.withLock({ $0.reasons.removeValue(forKey: subject) }) != nil { changed() }
    }

    /// Something failed, but nothing has to be done about it.
    package func note(_ error: String) {
        state.withLock { $0.lastError = error }
        changed()
    }
}
