import Synchronization

/// A value that is found when it is first asked for, and once only, whoever asks.
///
/// Everyone who asks meanwhile waits; finding it must not ask for itself.
final class ComputedOnce<Value: Sendable>: Sendable {
    private let found = Mutex<Value?>(nil)

    func value(_ find: () -> Value) -> Value {
        found.withLock { found in
            if let found { return found }
            let value = find()
            found = value
            return value
        }
    }
}
