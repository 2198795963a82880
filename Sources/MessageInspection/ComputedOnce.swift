import Synchronization

/// A value that is computed when it is first asked for, and only once.
///
/// Other callers wait meanwhile; the computation must not ask for the value itself.
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
